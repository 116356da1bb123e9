import Formats
import Manifests
import Testing

@Suite struct IPAddressTests {
  @Test(
    "an address is read and written in its shortest form",
    arguments: [
      ("10.0.0.1", "10.0.0.1"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
      ("fd00::1", "fd00::1"), ("FD00:0:0:0:0:0:0:1", "fd00::1"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
      ("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
      ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
    ])
  func text(_ written: String, _ shortest: String) throws {
    #expect(try IPAddress(written).description == shortest)
  }

  @Test(
    "what is no address is refused by name",
    arguments: [
      "", "10.0.0", "10.0.0.256", "10.0.0.1.2", "+1.0.0.0", "1.2.3.4 ", "a.b.c.d", ":::", "1::2::3", "12345::",
      "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "0001.2.3.4", "+1::", "1.2.3.-4",
    ])
  func refused(_ text: String) {
    let error = #expect(throws: DroverError.self) { try IPAddress(text) }
    #expect(error?.message.contains("'\(text)'") == true)
  }

  @Test("addresses know their neighbours up to the ends of their family")
  func neighbours() throws {
    #expect(try IPAddress("10.0.0.255").next?.description == "10.0.1.0")
    #expect(try IPAddress("10.0.1.0").previous?.description == "10.0.0.255")
    #expect(try IPAddress("255.255.255.255").next == nil)
    #expect(try IPAddress("::").previous == nil)
    #expect(try IPAddress("9.255.255.255") < IPAddress("10.0.0.0"))
    #expect(try IPAddress("255.255.255.255") < IPAddress("::"))
  }
}

@Suite struct CIDRBlockTests {
  @Test(
    "a block knows its ends and its mask",
    arguments: [
      ("10.0.0.77/24", "10.0.0.0", "10.0.0.255", "255.255.255.0"),
      ("10.0.0.0/8", "10.0.0.0", "10.255.255.255", "255.0.0.0"),
      ("10.0.0.1/32", "10.0.0.1", "10.0.0.1", "255.255.255.255"),
      ("0.0.0.0/0", "0.0.0.0", "255.255.255.255", "0.0.0.0"),
      ("fd00::/126", "fd00::", "fd00::3", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc"),
      ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"),
    ])
  func ends(_ text: String, _ first: String, _ last: String, _ mask: String) throws {
    let block = try CIDRBlock(text)
    #expect(block.network.description == first)
    #expect(block.broadcast.description == last)
    #expect(block.netmask.description == mask)
  }

  @Test(
    "what is no block is refused", arguments: ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "x/8", "::/129"])
  func refused(_ text: String) { #expect(throws: DroverError.self) { try CIDRBlock(text) } }
}

@Suite struct AddressRangeTests {
  @Test(
    "ranges are read in all three forms",
    arguments: [
      ("10.0.0.5", "10.0.0.5"), ("10.0.0.5-10.0.0.7", "10.0.0.5 - 10.0.0.7"),
      (" 10.0.0.5  -  10.0.0.7 ", "10.0.0.5 - 10.0.0.7"), ("10.0.0.0/30", "10.0.0.0 - 10.0.0.3"),
      ("fd00::1 - fd00::2", "fd00::1 - fd00::2"),
    ])
  func forms(_ text: String, _ range: String) throws { #expect(try AddressRange(text).description == range) }

  @Test(
    "what is no range is refused",
    arguments: ["", "-", "10.0.0.5 - 10.0.0.4", "10.0.0.1 - fd00::1", "10.0.0.1-2-3", "10.0.0.1 -"])
  func refused(_ text: String) { #expect(throws: DroverError.self) { try AddressRange(text) } }
}

@Suite struct AddressSetTests {
  private func set(_ ranges: String...) throws -> AddressSet { AddressSet(try ranges.map { try AddressRange($0) }) }

  @Test("ranges that touch or overlap become one, in order")
  func union() throws {
    let joined = try set("10.0.0.8 - 10.0.0.9", "10.0.0.1 - 10.0.0.3", "10.0.0.4", "10.0.0.2 - 10.0.0.3", "fd00::1")
    #expect(joined.description == "10.0.0.1 - 10.0.0.4, 10.0.0.8 - 10.0.0.9, fd00::1")
    #expect(joined.count == 7)
  }

  @Test("a hole splits a range and may take its ends")
  func subtract() throws {
    let all = try set("10.0.0.0/29")
    #expect(try all.subtracting(set("10.0.0.2 - 10.0.0.3")).description == "10.0.0.0 - 10.0.0.1, 10.0.0.4 - 10.0.0.7")
    #expect(try all.subtracting(set("10.0.0.0", "10.0.0.7")).description == "10.0.0.1 - 10.0.0.6")
    #expect(try all.subtracting(set("0.0.0.0/0")).isEmpty)
    #expect(try set("0.0.0.0/0").subtracting(set("255.255.255.255")).count == 0xFFFF_FFFF)
  }

  @Test("the lowest free address skips what is taken, also across ranges, and ends")
  func lowest() throws {
    let pool = try set("10.0.0.1 - 10.0.0.2", "10.0.0.9")
    #expect(try pool.lowest(excluding: [IPAddress("10.0.0.1")])?.description == "10.0.0.2")
    #expect(try pool.lowest(excluding: [IPAddress("10.0.0.1"), IPAddress("10.0.0.2")])?.description == "10.0.0.9")
    #expect(pool.lowest(excluding: Set(pool.addresses)) == nil)
    #expect(try set("::/0").lowest()?.description == "::")
    #expect(try set("::/0").count == UInt128.max)
  }

  @Test("set operations agree with sets of single addresses", arguments: 0..<200)
  func model(_ seed: Int) throws {
    var generator = SplitMix(seed: UInt64(seed))
    func random() -> ([Int], AddressSet) {
      var members: Set<Int> = []
      var ranges: [AddressRange] = []
      for _ in 0..<Int.random(in: 0...5, using: &generator) {
        let low = Int.random(in: 0..<40, using: &generator)
        let high = Int.random(in: low..<min(low + 10, 40), using: &generator)
        members.formUnion(low...high)
        guard let first = IPAddress(family: .v4, bits: UInt128(low)),
          let last = IPAddress(family: .v4, bits: UInt128(high)),
          let range = AddressRange(lowest: first, highest: last)
        else { continue }
        ranges.append(range)
      }
      return (members.sorted(), AddressSet(ranges))
    }
    let (left, leftSet) = random()
    let (right, rightSet) = random()
    func numbers(_ set: AddressSet) -> [Int] { set.addresses.map { Int($0.bits) } }
    #expect(numbers(leftSet) == left)
    #expect(numbers(leftSet.union(rightSet)) == Set(left).union(right).sorted())
    #expect(numbers(leftSet.subtracting(rightSet)) == Set(left).subtracting(right).sorted())
    #expect(Int(leftSet.count) == left.count)
    let taken = Set(rightSet.addresses)
    #expect(leftSet.lowest(excluding: taken).map { Int($0.bits) } == Set(left).subtracting(right).min())
  }
}

/// A small generator whose numbers depend on its seed alone.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
