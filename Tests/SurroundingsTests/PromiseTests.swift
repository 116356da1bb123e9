import Surroundings
import Testing

@Suite struct PromiseTests {
  @Test("the first value is everybody's, who waits and who comes later")
  func once() async {
    let promise = Promise<Int>()
    #expect(promise.known == nil)
    let values = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<20 { group.addTask { await promise.value() } }
      for number in 1...3 {
        group.addTask {
          promise.fulfil(number); return await promise.value()
        }
      }
      return await group.reduce(into: Set<Int>()) { $0.insert($1) }
    }
    #expect(values.count == 1 && values.first == promise.known)
    promise.fulfil(17)
    #expect(await promise.value() == values.first)
    #expect(await promise.valueUnlessCancelled() == values.first)
  }

  @Test("who is cancelled gets the value that is there, and waits for none that is not, unless it has to")
  func cancelled() async {
    let promise = Promise<Int>()
    let leaving = Task { await promise.valueUnlessCancelled() }
    let staying = Task { await promise.value() }
    leaving.cancel()
    staying.cancel()
    #expect(await leaving.value == nil)
    promise.fulfil(1)
    #expect(await staying.value == 1)
    let late = Task { await promise.valueUnlessCancelled() }
    late.cancel()
    #expect(await late.value == 1)
  }
}
