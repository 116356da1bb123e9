import PoolsProtocol
import Testing

@testable import Pools
@testable import PoolsAPI

@Suite struct PoolMetricsTests {
  @Test("the page has every known state, the others together, and histograms")
  func page() {
    let metrics = PoolMetrics()
    metrics.acquired(
      AcquireRequest(type: "t", state: "free", destination: "b\"usy", owner: "o", requestID: "r"), after: .seconds(5))
    metrics.answered(
      path: "/acquire", method: "POST", status: 200, userAgent: "agent", duration: .milliseconds(10), size: 200)
    metrics.configured(fault: "broken")
    let text = metrics.text(
      [PoolMetric(type: "t", current: ["free": 2, "x": 1, "y": 3], owners: [:])], PoolStatistics(), waiting: 7)
    for line in [
      #"boskos_resources{state="free",type="t"} 2"#, #"boskos_resources{state="tombstone",type="t"} 0"#,
      #"boskos_resources{state="other",type="t"} 4"#, "boskos_waiting_requests 7", "boskos_configuration_faulty 1",
      #"boskos_acquire_duration_seconds_bucket{dest="b\"usy",has_request_id="true",state="free",type="t",le="1"} 0"#,
      #"boskos_acquire_duration_seconds_bucket{dest="b\"usy",has_request_id="true",state="free",type="t",le="10"} 1"#,
      #"boskos_http_request_duration_seconds_count{method="post",path="/acquire",status="200",user_agent="agent"} 1"#,
      #"boskos_http_response_size_bytes_bucket{method="post",path="/acquire",status="200",user_agent="agent",le="128"} 0"#,
    ] { #expect(text.contains(line + "\n"), "\(line)") }
  }

  @Test("labels that clients make up do not grow without bound")
  func bounded() {
    let metrics = PoolMetrics()
    for number in 0..<2000 {
      metrics.acquired(
        AcquireRequest(type: "t\(number)", state: "s", destination: "d", owner: "o"), after: .zero)
      metrics.answered(
        path: "/acquire", method: "M\(number)", status: 200, userAgent: "a\(number)", duration: .zero, size: 0)
    }
    let text = metrics.text([], PoolStatistics(), waiting: 0)
    #expect(text.split(separator: "\n").count < 10_000)
    #expect(text.contains(#"type="other""#) && text.contains(#"user_agent="other""#))
  }
}
