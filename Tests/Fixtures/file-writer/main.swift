// Replaces and creates files as fast as it can, so that a test can kill it at any moment and look at what is there.
//
//   file-writer FOLDER COUNT   never ends; prints a line after every hundred files

import Files
import Glibc

/// A file's content, of which one can tell whether it is whole.
func content(_ number: Int) -> [UInt8] {
  Array("\(number % 251)\n".utf8) + [UInt8](repeating: UInt8(number % 251), count: 1 + number % 3000)
}

guard CommandLine.arguments.count == 3, let count = Int(CommandLine.arguments[2]) else { exit(2) }
let folder = CommandLine.arguments[1]
var number = Int.random(in: 0..<100_000)
while true {
  for _ in 0..<100 {
    number += 1
    let path = "\(folder)/file-\(number % count)"
    if number % 5 == 0 {
      unlink(path)
      _ = try Files.create(path, with: content(number), isDurable: false)
    } else {
      try Files.replace(path, with: content(number), isDurable: false)
    }
  }
  Array("\(number)\n".utf8).withUnsafeBytes { _ = write(1, $0.baseAddress, $0.count) }
}
