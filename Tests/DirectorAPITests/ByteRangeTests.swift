import Testing

@testable import DirectorAPI

@Suite struct ByteRangeTests {
  @Test(
    "a range is a part of what there is",
    arguments: [
      ("bytes=0-", 10, 0..<10), ("bytes=3-", 10, 3..<10), ("bytes=9-", 10, 9..<10), ("bytes=10-", 10, nil),
      ("bytes=0-0", 10, 0..<1), ("bytes=2-4", 10, 2..<5), ("bytes=2-400", 10, 2..<10), ("bytes=-3", 10, 7..<10),
      ("bytes=-30", 10, 0..<10), ("bytes=-0", 10, nil), ("bytes=0-", 0, nil), ("bytes=-5", 0, nil),
      ("bytes=0-9223372036854775807", 10, 0..<10),
    ] as [(String, Int64, Range<Int64>?)])
  func within(_ header: String, _ size: Int64, _ expected: Range<Int64>?) throws {
    #expect(try #require(ByteRange(header)).within(size) == expected)
  }

  @Test(
    "what is no single range of bytes is none",
    arguments: [
      nil, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "lines=1-2", "bytes=0-1,3-4", "bytes=+1-",
      "bytes=99999999999999999999-", "bytes=1", "bytes=1-2-3",
    ])
  func none(_ header: String?) {
    #expect(ByteRange(header) == nil)
  }
}
