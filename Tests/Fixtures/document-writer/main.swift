// Writes documents as fast as it can and says on stdout which commits were acknowledged, so that a test can kill it at any
// moment and compare.
//
//   document-writer write PATH WRITERS           never ends; prints "WRITER NUMBER" after each acknowledgement
//   document-writer measure PATH WRITERS COUNT   prints how many commits a second it made, with how many transactions

import Documents
import Glibc

func text(_ number: Int) -> [UInt8] {
  Array("{\"number\":\(number),\"filler\":\"\(String(repeating: "x", count: 400))\"}".utf8)
}

func say(_ line: String) { Array((line + "\n").utf8).withUnsafeBytes { _ = Glibc.write(1, $0.baseAddress, $0.count) } }

func write(_ store: SQLiteDocumentStore, _ writer: Int) async throws {
  let before = try await store.get("writer", "\(writer)")
  var number = before.flatMap { Int(String(decoding: $0.body, as: UTF8.self)) } ?? 0
  while true {
    number += 1
    _ = try await store.commit([
      .put("writer", "\(writer)", Array("\(number)".utf8)),
      .create("record", "\(writer)/\(number)", text(number)),
    ])
    say("\(writer) \(number)")
  }
}

func measure(_ store: SQLiteDocumentStore, writers: Int, count: Int) async throws {
  let begin = ContinuousClock.now
  try await withThrowingTaskGroup(of: Void.self) { group in
    for writer in 0..<writers {
      group.addTask {
        for number in 0..<(count / writers) {
          _ = try await store.commit([.create("record", "\(writer)/\(number)", text(number))])
        }
      }
    }
    try await group.waitForAll()
  }
  let seconds = (ContinuousClock.now - begin) / .seconds(1)
  let statistics = store.statistics
  say(
    "\(writers) writers: \(statistics.commits) commits in \(statistics.transactions) transactions, "
      + "\(Int(Double(statistics.commits) / seconds)) commits/s")
}

let arguments = CommandLine.arguments
guard arguments.count >= 4, let writers = Int(arguments[3]) else {
  say("document-writer (write|measure) PATH WRITERS [COUNT]")
  exit(2)
}
let store = try await SQLiteDocumentStore.open(arguments[2])
if arguments[1] == "measure" {
  try await measure(store, writers: writers, count: arguments.count > 4 ? Int(arguments[4]) ?? 1000 : 1000)
  try await store.close()
} else {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for writer in 0..<writers { group.addTask { try await write(store, writer) } }
    try await group.waitForAll()
  }
}
