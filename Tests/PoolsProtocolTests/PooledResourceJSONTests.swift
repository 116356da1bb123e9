import Formats
import Surroundings
import Testing

@testable import PoolsProtocol

@Suite struct PooledResourceJSONTests {
  @Test("a resource is written member by member as Boskos writes it")
  func resource() throws {
    let resource = PooledResource(
      type: "t<1>", name: "n", state: "busy", owner: "o",
      lastUpdate: Timestamp(nanoseconds: 1_549_578_818_013_508_020), userData: ["b": "2", "a": "1"],
      expiration: Timestamp(nanoseconds: 1_549_578_818_900_000_000))
    let text =
      #"{"type":"t\u003c1\u003e","name":"n","state":"busy","owner":"o","lastupdate":"2019-02-07T22:33:38.01350802Z","#
      + #""userdata":{"a":"1","b":"2"},"expiration-date":"2019-02-07T22:33:38Z"}"#
    #expect(String(decoding: resource.json, as: UTF8.self) == text)
    var read = resource
    read.expiration = Timestamp(nanoseconds: 1_549_578_818_000_000_000)
    #expect(try PooledResource(json: JSON.parse(text)) == read)
    let bare = PooledResource(type: "t", name: "n")
    #expect(
      String(decoding: bare.json, as: UTF8.self)
        == #"{"type":"t","name":"n","state":"free","owner":"","lastupdate":"0001-01-01T00:00:00Z","userdata":{}}"#)
    #expect(try PooledResource(json: JSON.parse(bare.json)) == bare)
  }

  @Test("a metric has type, current and owner in that order, sorted inside")
  func metric() throws {
    let metric = PoolMetric(type: "t", current: ["free": 2, "busy": 1], owners: ["": 2, "o": 1])
    let text = #"{"type":"t","current":{"busy":1,"free":2},"owner":{"":2,"o":1}}"#
    #expect(String(decoding: metric.json, as: UTF8.self) == text)
    #expect(try PoolMetric(json: JSON.parse(text)) == metric)
  }

}
