import Formats
import Surroundings
import Testing

@testable import Clouds

@Suite("Parts of a stemcell")
struct StemcellPartsTests {
  static let targets = """
    http://mirror/debian-security/|bookworm-security|main
    http://mirror/debian/|bookworm|contrib
    http://mirror/debian/|bookworm|main
    http://mirror/debian/|bookworm-updates|main
    http://other/|nodistro|main

    """

  @Test("the mirrors are those of this machine's apt, for the release that is wanted")
  func mirrors() throws {
    let sources = try #require(AptSources(indexTargets: Self.targets, suite: "bookworm", mirror: nil))
    #expect(sources.mirror == "http://mirror/debian/")
    #expect(
      sources.lines == [
        "deb http://mirror/debian/ bookworm main", "deb http://mirror/debian/ bookworm-updates main",
        "deb http://mirror/debian-security/ bookworm-security main",
      ])
    #expect(AptSources(indexTargets: Self.targets, suite: "trixie", mirror: nil) == nil)
    #expect(
      AptSources(indexTargets: "", suite: "bookworm", mirror: "http://m")?.lines == ["deb http://m bookworm main"])
  }

  @Test("of apt's settings, those by which mirrors are reached go into the build")
  func settings() {
    let dump = """
      APT::Architecture "amd64";
      Acquire::http::Proxy "http://proxy:3128/";
      Acquire::Check-Date "false";
      Acquire::Languages "en";
      """
    #expect(
      AptSources.acquireSettings(dump: dump)
        == "Acquire::http::Proxy \"http://proxy:3128/\";\nAcquire::Check-Date \"false\";")
  }

  static let ldd = """
    \tlinux-vdso.so.1 (0x00007f3a97766000)
    \tlibswiftCore.so => /opt/swift/usr/lib/swift/linux/libswiftCore.so (0x00007f3a95200000)
    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f3a9441e000)
    \t/lib64/ld-linux-x86-64.so.2 (0x00007f3a97768000)
    """

  @Test("libraries that the root file system has not go with the agent")
  func libraries() throws {
    #expect(
      try SharedLibraries.missing(ldd: Self.ldd, present: ["libc.so.6"])
        == ["/opt/swift/usr/lib/swift/linux/libswiftCore.so"])
    #expect(throws: CloudError.self) {
      _ = try SharedLibraries.missing(ldd: "\tlibx.so => not found\n", present: [])
    }
  }

  @Test("a later build has a higher version that parses")
  func version() throws {
    let early = StemcellBuilder.version(Timestamp(seconds: 1_700_000_000))
    #expect(early == "1.20231114.80000")
    let later = StemcellBuilder.version(Timestamp(seconds: 1_700_086_399))
    #expect(try SemiSemanticVersion(early) < SemiSemanticVersion(later))
  }

  @Test("the recipe's digest changes with what it says")
  func digest() {
    var recipe = StemcellRecipe()
    let before = recipe.digest
    #expect(before == StemcellRecipe().digest)
    recipe.packages.append("ruby")
    #expect(recipe.digest != before)
    recipe = StemcellRecipe()
    recipe.files[0].text += "#"
    #expect(recipe.digest != before)
  }
}
