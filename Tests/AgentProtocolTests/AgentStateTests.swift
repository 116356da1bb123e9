import AgentProtocol
import Formats
import Testing

@Suite struct AgentStateTests {
  static let vitals = """
    {"cpu":{"sys":"22.7","user":"77.2","wait":"0.0"},"disk":{"system":{"inode_percent":"0","percent":"3"}},\
    "load":["8.97","6.71","4.30"],"mem":{"kb":"2192972","percent":"9"},"swap":{"kb":"0","percent":"0"},\
    "uptime":{"secs":1774}}
    """

  @Test("vitals are written as the health monitor reads them")
  func vitalsShape() throws {
    #expect(try JSON.text(Vitals(JSON.parse(Self.vitals)).value) == Self.vitals)
  }

  @Test("a heartbeat is written as the health monitor reads it")
  func heartbeat() throws {
    let text =
      #"{"deployment":"lab","job":"web-ig","index":0,"job_state":"running","vitals":"# + Self.vitals
      + #","node_id":"inst-uuid-1","number_of_processes":1}"#
    #expect(try JSON.text(Heartbeat(JSON.parse(text)).value) == text)
    let unknown =
      #"{"deployment":"","job":null,"index":null,"job_state":"unknown","vitals":"# + Self.vitals
      + #","node_id":"","number_of_processes":null}"#
    #expect(try JSON.text(Heartbeat(JSON.parse(unknown)).value) == unknown)
  }

  @Test("an alert is written as the health monitor reads it")
  func alert() throws {
    let text = """
      {"id":"1795252984.1102830099@agent-lab-1","severity":1,"title":"web (10.244.0.2) - Does not exist - restart",\
      "summary":"process is not running","created_at":1795252984}
      """
    #expect(try JSON.text(Alert(JSON.parse(text)).value) == text)
  }

  @Test("a process leaves out what is zero")
  func processes() {
    #expect(
      JSON.text(ProcessState(name: "web", state: .failing).value)
        == #"{"name":"web","state":"failing","uptime":{},"mem":{"percent":0},"cpu":{"total":0}}"#)
    let running = ProcessState(
      name: "web", state: .running, uptimeSeconds: 5, memoryKilobytes: 1024, memoryPercent: 0.14, cpuPercent: 12)
    #expect(
      JSON.text(running.value)
        == #"{"name":"web","state":"running","uptime":{"secs":5},"mem":{"kb":1024,"percent":0.1},"cpu":{"total":12}}"#)
  }

  @Test("the state is the spec and what runs, read back as itself")
  func state() throws {
    var state = AgentState(
      spec: ApplySpec(deployment: "d", name: "web"), agentID: "a1", jobState: .running, vmName: "vm-1")
    #expect(
      state.value.object?.keys.suffix(3) == ["agent_id", "job_state", "vm"])
    #expect(state.value["processes"] == nil && state.value["vitals"] == nil)
    state.processes = [ProcessState(name: "web", state: .running, uptimeSeconds: 3)]
    state.vitals = try Vitals(JSON.parse(Self.vitals))
    #expect(try AgentState(state.value) == state)
  }

  @Test("an empty spec looks as the Go agent's, and of its properties only the size of logs is shown")
  func shape() throws {
    var state = AgentState(spec: ApplySpec(), agentID: "a1", jobState: .running, vmName: "vm-1")
    #expect(
      JSON.text(state.value)
        == #"{"properties":{"logging":{"max_log_file_size":""}},"job":{"name":null,"release":"","template":"","#
        + #""version":"","templates":null},"packages":{},"configuration_hash":"","networks":{},"resource_pool":{},"#
        + #""deployment":"","name":"","index":null,"id":"","az":"","persistent_disk":0,"#
        + #""rendered_templates_archive":null,"agent_id":"a1","job_state":"running","vm":{"name":"vm-1"}}"#)
    state.spec.properties = ["password": "x", "logging": ["max_log_file_size": "7M", "other": 1]]
    #expect(JSON.text(state.value["properties"] ?? .null) == #"{"logging":{"max_log_file_size":"7M"}}"#)
  }
}
