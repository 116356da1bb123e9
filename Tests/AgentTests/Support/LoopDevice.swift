import Processes

/// An image as a loop device of the machine.
///
/// One test at a time has one: they have no owners, their numbers are used again at once, and programs that look for a
/// label look at all of them.
func withLoopDevice<Result>(
  _ image: String, _ options: String..., isolation: isolated (any Actor)? = #isolation,
  _ body: (String) async throws -> Result
) async throws -> Result {
  await Turnstile.loopDevices.enter()
  do {
    let arguments = ["losetup", "--find", "--show"] + options + [image]
    let device = try await Command(arguments).run().text.split(separator: "\n").joined()
    func detach() async {
      // What was found on it, or made, does not go by itself.
      _ = try? await Command("partx", "-d", device).result()
      _ = try? await Command("losetup", "--detach", device).result()
    }
    do {
      let result = try await body(device)
      await detach()
      await Turnstile.loopDevices.leave()
      return result
    } catch {
      await detach()
      throw error
    }
  } catch {
    await Turnstile.loopDevices.leave()
    throw error
  }
}

private actor Turnstile {
  static let loopDevices = Turnstile()

  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func enter() async {
    if isTaken {
      await withCheckedContinuation { waiting.append($0) }
    } else {
      isTaken = true
    }
  }

  func leave() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}
