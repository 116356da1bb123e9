import TestSupport
import Testing

@testable import Pools

@Suite struct RankedSetTests {
  @Test("it holds what a sorted array holds, at the same ranks", arguments: [1, 2, 3] as [UInt64])
  func likeAnArray(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var set = RankedSet<Int>()
    var array: [Int] = []
    for step in 0..<6000 {
      let element = Int.random(in: 0..<4000, using: &random)
      // Grows first, then shrinks.
      if Int.random(in: 0..<6000, using: &random) > step {
        if !array.contains(element) {
          set.insert(element)
          array.insert(element, at: array.firstIndex { $0 > element } ?? array.count)
        }
      } else {
        #expect(set.remove(element) == (array.firstIndex(of: element) != nil))
        array.removeAll { $0 == element }
      }
      if step % 500 == 0 { #expect(Array(set.elements) == array) }
      #expect(set.count == array.count)
      #expect(set.first == array.first)
      let rank = Int.random(in: 0...max(1, array.count), using: &random)
      #expect(set[rank] == (rank < array.count ? array[rank] : nil))
      #expect(set.rank(of: element) == array.count { $0 < element })
    }
  }
}
