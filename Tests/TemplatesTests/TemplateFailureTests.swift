import Templates
import Testing

@Suite struct TemplateFailureTests {
  let redis = TemplateFailure(
    instanceGroup: "redis",
    jobs: [
      JobFailure(
        jobName: "server",
        errors: [
          TemplateError(source: "redis.conf.erb", line: 3, message: "Can't find property '[\"port\"]'"),
          TemplateError(source: "bin/ctl", line: nil, message: "two\nlines\n"),
        ]),
      JobFailure(
        jobName: "metrics", isMonit: true,
        errors: [TemplateError(source: "monit", line: 1, message: "Can't find link 'x'")]),
    ])

  @Test("the report of a group lists every error of every job, indented by two")
  func group() {
    #expect(
      redis.report == """
        - Unable to render jobs for instance group 'redis'. Errors are:
          - Unable to render templates for job 'server'. Errors are:
            - Error filling in template 'redis.conf.erb' (line 3: Can't find property '["port"]')
            - Error filling in template 'bin/ctl' (line (unknown): two
            lines
            )
          Error filling in template 'monit' (line 1: Can't find link 'x')
        """)
  }

  @Test("the report of a deployment lists its groups, and the same failure of several instances once")
  func deployment() {
    let web = TemplateFailure(
      instanceGroup: "web",
      jobs: [JobFailure(jobName: "app", errors: [TemplateError(source: "a.erb", line: 1, message: "no")])])
    #expect(
      TemplateFailure.report([web, redis, web]) == """
        Unable to render instance groups for deployment. Errors are:
          - Unable to render jobs for instance group 'web'. Errors are:
            - Unable to render templates for job 'app'. Errors are:
              - Error filling in template 'a.erb' (line 1: no)
        \(redis.report.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
        """)
  }
}
