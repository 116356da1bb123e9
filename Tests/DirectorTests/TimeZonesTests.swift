import Formats
import Testing

@testable import Director

@Suite struct TimeZonesTests {
  @Test(
    "a name that is no time zone's is refused, whatever file or folder it names",
    arguments: [
      "Europe/Berln", "", "America", "Europe/", ".", "..", "../..", "../../../etc/passwd", "Europe/../UTC",
      "/etc/localtime",
      "/usr/share/zoneinfo/Europe/Berlin", "tzdata.zi", "leapseconds", "Europe/Berlin\0", "Europe/Berlin\u{0}x", "Évry",
      "Europe Berlin", String(repeating: "x", count: 100_000), String(repeating: "a/", count: 5000),
    ])
  func refused(_ name: String) async throws {
    let error = await #expect(throws: DroverError.self) { try await TimeZones().rules(name) }
    let message = error?.message ?? ""
    #expect(error?.code == .invalid && message.hasPrefix("time zone '\(name.prefix(100))"), "\(message.prefix(300))")
    #expect(message.contains("': unknown; expected a name such as Europe/Berlin or UTC") && message.utf8.count < 400)
  }

  @Test("names that there are, and near ones, are known", arguments: ["UTC", "Z", "Europe/Berlin", "Etc/GMT+5"])
  func known(_ name: String) async throws {
    _ = try await TimeZones().rules(name)
    let error = await #expect(throws: DroverError.self) { try await TimeZones().rules("berlin") }
    #expect(error?.message.hasSuffix("did you mean 'Europe/Berlin'?") == true)
  }
}
