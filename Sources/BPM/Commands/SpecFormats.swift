import Containers
import Formats

extension Lifecycle {
  /// How the process would be isolated if it were started now, in the language of a scheduler.
  func spec(format: String) throws -> String {
    let job = try JobConfiguration(root: setup.root, job: names.job)
    let process = try job.process(names.process)
    let user = setup.user ?? (try? setup.vcap()) ?? ContainerSpec.User(uid: 1000, gid: 1000)
    let plan = try Bundle(setup: setup, names: names, job: job, process: process).plan(user)
    let spec = plan.build().spec
    switch format {
    case "oci": return JSON.text(spec.value, .pretty) + "\n"
    case "kubernetes": return KubernetesPod(spec: spec, plan: plan).text
    case "systemd": return SystemdUnit(spec: spec, plan: plan).text
    default:
      throw DroverError(.invalid, "unknown format \"\(format)\": expected oci, kubernetes or systemd")
    }
  }
}
