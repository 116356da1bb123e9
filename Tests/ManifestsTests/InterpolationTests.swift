import Formats
import Manifests
import Testing

@Suite struct InterpolationTests {
  private let values: ValueObject = [
    "a": "x", "number": 5, "flag": true, "pair": ["user": "u", "port": 80], "list": [1, 2], "/abs/name": "absolute",
    "/abs.d/cert": ["ca": "CA"], "empty": .null,
  ]

  @Test(
    "values keep their kind alone and become text inside of text",
    arguments: [
      ("((a))", "x"), ("((number))", 5), ("((list))", [1, 2]), ("((!a))", "x"), ("((pair.port))", 80),
      ("n=((number)),((a))", "n=5,x"), ("((flag))!", "true!"), ("((/abs/name))", "absolute"),
      ("((/abs.d/cert.ca))", "CA"), ("no ((", "no (("), ("((a b))", "((a b))"), ("(((a)))", "(x)"), ("(())", "(())"),
      ("", ""), ("((empty))", .null), ("((pair))", ["user": "u", "port": 80]),
    ] as [(String, Value)])
  func fill(_ text: String, _ expected: Value) throws {
    let filled = try Interpolation.fill(["k": [.string(text)]]) { values[$0] }
    #expect(filled == ["k": [expected]])
  }

  @Test("all names without a value are listed at once, without values of others")
  func missing() {
    let error = #expect(throws: DroverError.self) {
      try Interpolation.fill(["x": "((q))", "y": ["((p.z))", "((a))"]]) { values[$0] }
    }
    #expect(error?.message == "variables without a value: 'p', 'q'")
  }

  @Test("an object can't be put into a text, nor a member found that is not there")
  func unfit() {
    #expect(throws: DroverError.self) { try Interpolation.fill("x((pair))") { values[$0] } }
    #expect(throws: DroverError.self) { try Interpolation.fill("((pair.none))") { values[$0] } }
  }

  @Test("names are listed once, in order")
  func names() {
    #expect(Interpolation.names(in: ["a": "((z)) ((y.b))", "b": ["((z))", "((!x))", "(( ))"]]) == ["z", "y", "x"])
  }
}
