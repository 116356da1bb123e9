import Formats
import Templates
import Testing

/// What templates see, as `reference/lifecycle.md` 4.1 has it.
@Suite("Template language", .enabled(if: canSandbox, "a sandbox needs root"))
struct TemplateLanguageTests {
  static let properties: Value = [
    "port": 6379, "off": false, "none": nil, "empty": "", "list": ["a", "b"], "text": "hello",
    "redis": ["password": "secret", "dotted.key": 1, "tls": ["enabled": true]],
  ]

  static let links: Value = [
    "db": [
      "instances": [
        [
          "name": "pg", "index": 0, "id": "id-0", "az": "z1", "address": "10.0.0.7", "bootstrap": true,
          "properties": ["role": "primary"],
        ],
        ["name": "pg", "index": 1, "id": "id-1", "az": "z2", "address": "10.0.0.8", "bootstrap": false],
      ],
      "properties": ["port": 5432, "tls": ["ca": "pem"]],
    ],
    "manual": ["instances": [["address": "1.2.3.4"]], "properties": [:], "address": "db.example.com"],
    "broken": ["properties": [:]],
  ]

  static let rendered: [(template: String, text: String)] = [
    // Properties.
    ("<%= p('port') %>", "6379"),
    ("<%= p('redis.tls.enabled') %>", "true"),
    ("<%= p('off') %> <%= p('off', 1) %>", "false false"),
    ("<%= p('none', 'default') %>", "default"),
    ("<%= p('missing', nil).inspect %> <%= p('missing', false) %>", "nil false"),
    ("<%= p(['missing', 'none', 'text', 'port']) %>", "hello"),
    ("<%= p(['missing', 'none'], 4) %>", "4"),
    ("<%= p('redis') %>", #"{"password"=>"secret", "dotted.key"=>1, "tls"=>{"enabled"=>true}}"#),
    ("<%= p('text.ell') %>", "ell"),
    ("<%= p('empty').inspect %>", "\"\""),
    ("<%= properties.redis.tls.enabled %> <%= properties.missing.inspect %>", "true nil"),
    ("<%= raw_properties['redis']['dotted.key'] %>", "1"),
    ("<%= lookup_property(raw_properties, 'redis.password') %>", "secret"),
    (
      "<% copy_property(to = {}, raw_properties, 'redis.tls.enabled') %><%= to %>",
      #"{"redis"=>{"tls"=>{"enabled"=>true}}}"#
    ),
    ("<% copy_property(to = {}, raw_properties, 'a.b', 3) %><%= to %>", #"{"a"=>{"b"=>3}}"#),
    // if_p and its else.
    ("<% if_p('port', 'off') do |a, b| %><%= a %><%= b %><% end %>", "6379false"),
    ("<% if_p('missing') do %>yes<% end.else do %>no<% end %>", "no"),
    ("<% if_p('port') do %>yes<% end.else do %>no<% end %>", "yes"),
    ("<% if_p('port', 'missing') do %>yes<% end.else do %>no<% end %>", "no"),
    ("<% if_p('x') do %>1<% end.else_if_p('port') do |v| %><%= v %><% end.else do %>3<% end %>", "6379"),
    ("<% if_p('port') do %>1<% end.else_if_p('port') do %>2<% end.else do %>3<% end %>", "1"),
    ("<% if_p('x') do %>1<% end.else_if_link('db') do |l| %><%= l.p('port') %><% end %>", "5432"),
    ("<% if_p('x') do %>1<% end.else_if_p('y') do %>2<% end.else do %>3<% end %>", "3"),
    // Links.
    ("<%= link('db').p('port') %> <%= link('db').p('tls.ca') %> <%= link('db').p('x', 9) %>", "5432 pem 9"),
    (
      "<%= link('db').instances.map { |i| \"#{i.name}/#{i.index} #{i.id} #{i.az} #{i.address} #{i.bootstrap}\" }.join(',') %>",
      "pg/0 id-0 z1 10.0.0.7 true,pg/1 id-1 z2 10.0.0.8 false"
    ),
    ("<%= link('db').instances.first.p('role') %> <%= link('db').instances[1].p('role', 'none') %>", "primary none"),
    ("<% link('db').instances[1].if_p('role') do |r| %><%= r %><% end.else do %>none<% end %>", "none"),
    ("<% link('db').if_p('x') do %>1<% end.else_if_p('port') do |v| %><%= v %><% end %>", "5432"),
    ("<% if_link('db') do |l| %><%= l.properties['port'] %><% end.else do %>none<% end %>", "5432"),
    ("<% if_link('x') do %>1<% end.else_if_link('broken') do %>2<% end.else do %>3<% end %>", "3"),
    ("<% if_link('db') do %>1<% end.else_if_link('db') do %>2<% end.else_if_p('port') do %>3<% end %>", "1"),
    (
      "<%= link('manual').address %> <%= link('manual').address(azs: ['z1'], status: 'all') %>",
      "db.example.com db.example.com"
    ),
    // The instance.
    (
      "<%= name %> <%= index %> <%= spec.deployment %> <%= spec.id %> <%= spec.az %> <%= spec.bootstrap %>",
      "group 0 dep some-id z1 true"
    ),
    (
      "<%= spec.job.name %> <%= spec.release.name %>/<%= spec.release.version %> <%= spec.address %>",
      "group rel/1.2 10.0.0.5"
    ),
    ("<%= spec.networks.methods(false) %> <%= spec.networks.default.ip %>", "[:default] 10.0.0.5"),
    ("<%= spec.networks.marshal_dump.keys %> <%= spec.unknown.inspect %>", "[:default] nil"),
    // The language around them.
    ("a\n<% if true -%>\nb\n<% end -%>\n  <%- 1 -%>\nc <%% d\n% e\n", "a\nb\nc <% d\n% e\n"),
    ("<% def twice(x) = x * 2 %><%= twice(p('port')) %>", "12758"),
    ("<% def fallback = p('missing', 'x') %><%= fallback %>", "x"),
    ("<%= begin; p('missing'); rescue Bosh::Common::Template::UnknownProperty => e; e.name; end %>", #"["missing"]"#),
    ("<%= begin; link('x'); rescue UnknownLink => e; e.message; end %>", "Can't find link 'x'"),
    ("<%= ['', ' ', nil, [], {}, false].all?(&:blank?) %> <%= [0, 'x', true, [1]].all?(&:present?) %>", "true true"),
    ("<%= ' '.presence.inspect %> <%= 'x'.presence %>", "nil x"),
    (
      "<%= p('redis').to_json %> <%= JSON.pretty_generate([1]) %>",
      "{\"password\":\"secret\",\"dotted.key\":1,\"tls\":{\"enabled\":true}} [\n  1\n]"
    ),
    ("<%= p('list').to_yaml %>", "---\n- a\n- b\n"),
    ("<%= IPAddr.new('10.0.0.0/24').include?('10.0.0.9') %> <%= Base64.strict_encode64('a') %>", "true YQ=="),
    ("<%= Digest::SHA256.hexdigest('')[0, 8] %> <%= OpenSSL::Digest::MD5.hexdigest('')[0, 8] %>", "e3b0c442 d41d8cd9"),
    ("<%= URI('http://h:1/p').port %> <%= CGI.escape('a b') %> <%= Shellwords.escape('a b') %>", "1 a+b a\\ b"),
    (
      "<% require 'zlib'; require 'stringio' %><%= Zlib::Inflate.inflate(Zlib::Deflate.deflate(StringIO.new('z').read)) %>",
      "z"
    ),
    (
      "<%= Set.new([1]).size %> <%= Time.parse('2020-01-01T00:00:00Z').year %> <%= SecureRandom.hex(2).size %>",
      "1 2020 4"
    ),
    ("grüße <%= 'ü'.length %>", "grüße 1"),
    ("", ""),
  ]

  @Test("templates see what BOSH shows them")
  func renders() async throws {
    try await withRenderer { renderer in
      for (template, text) in Self.rendered {
        let job = job(template, properties: Self.properties, links: Self.links)
        do {
          let result = try await renderer.text(job)
          #expect(result == text, "\(template)")
        } catch {
          Issue.record("\(template): \(error)")
        }
      }
    }
  }

  static let failing: [(template: String, line: Int?, message: String)] = [
    ("<%= p('a.b') %>", 1, #"Can't find property '["a.b"]'"#),
    ("\n\n<%= p(['a', 'b']) %>", 3, #"Can't find property '["a", "b"]'"#),
    ("\n<%= p('none') %>", 2, #"Can't find property '["none"]'"#),
    ("<%= p('port', 1, 2) ; p('x', 1, 2) %>", 1, #"Can't find property '["x"]'"#),
    ("<%= p('redis.dotted.key') %>", 1, #"Can't find property '["redis.dotted.key"]'"#),
    ("<%= p('list.a') %>", 1, "no implicit conversion of String into Integer"),
    ("<%= link('x') %>", 1, "Can't find link 'x'"),
    ("<%= link('broken') %>", 1, "Can't find link 'broken'"),
    ("<%= link('db').p('x') %>", 1, #"Can't find property '["x"]'"#),
    ("<%= link('db').instances[1].p('role') %>", 1, #"Can't find property '["role"]'"#),
    ("<%= link('db').address %>", 1, "link.address requires bosh director"),
    ("<% copy_property({}, raw_properties, 'text.b') %>", 1, "Property 'text.b' expects a hash, but received 'String'"),
    ("\n<% raise 'no way' %>", 2, "no way"),
    ("<% abort 'enough' %>", 1, "enough"),
    ("<% exit %>", 1, "exit"),
    ("<% throw :ball %>", 1, "uncaught throw :ball"),
    (
      "<%= nowhere %>", 1,
      "undefined local variable or method `nowhere' for an instance of Bosh::Common::Template::EvaluationContext"
    ),
    ("<%= p('redis').fetch('x') %>", 1, "key not found: \"x\""),
    ("<%= p('redis').password %>", 1, "undefined method `password' for an instance of Hash"),
    ("<%= properties.missing.deeper %>", 1, "undefined method `deeper' for nil:NilClass"),
    ("\n<% def helper\n raise 'inside'\n end %>\n<% helper %>", 3, "inside"),
    ("<% if_p('port') %>", 1, "no block given (yield)"),
  ]

  @Test("a template that fails says at which line and why, in BOSH's words")
  func fails() async throws {
    try await withRenderer { renderer in
      let version = try await renderer.text(job("<%= RUBY_VERSION %>"))
      for (template, line, message) in Self.failing {
        // Ruby 3.4 quotes and names nil otherwise.
        guard version < "3.4" || !message.contains("undefined") else { continue }
        let expected = TemplateError(source: "t.erb", line: line, message: message)
        do {
          let text = try await renderer.text(job(template, properties: Self.properties, links: Self.links))
          Issue.record("\(template): rendered '\(text)'")
        } catch let failure as TemplateFailure {
          #expect(failure.jobs.flatMap(\.errors) == [expected], "\(template)")
        }
      }
    }
  }

  @Test("a syntax error has no line of its own, but says where it is")
  func syntax() async throws {
    try await withRenderer { renderer in
      let failure = await #expect(throws: TemplateFailure.self) { try await renderer.text(job("\n<% if %>\n")) }
      let error = failure?.jobs.first?.errors.first
      #expect(error?.line == nil)
      #expect(error?.message.contains("job/t.erb:2") == true, "\(String(describing: error))")
    }
  }

  @Test("a template that changes what it sees changes it for no other template of its job")
  func fresh() async throws {
    var job = job("<% raw_properties['port'] = 1; spec.id = 'x'; @left = 2 %>", properties: Self.properties)
    job.templates.append(
      JobTemplate(
        source: "b", destination: "b", content: Array("<%= p('port') %> <%= spec.id %> <%= @left.inspect %>".utf8)))
    try await withRenderer { [job] renderer in
      let rendered = try await renderer.render(GroupRenderRequest(instanceGroup: "g", jobs: [job]))
      #expect(String(decoding: rendered[0].files[1].content, as: UTF8.self) == "6379 some-id nil")
    }
  }

  @Test("bytes that are no text pass unchanged")
  func binary() async throws {
    let content: [UInt8] = [0xFF, 0x00, 0x0A, 0xC3, 0x28, 0x80]
    var job = job("")
    job.templates = [JobTemplate(source: "bin", destination: "bin", content: content)]
    try await withRenderer { [job] renderer in
      let rendered = try await renderer.render(GroupRenderRequest(instanceGroup: "g", jobs: [job]))
      #expect(rendered[0].files[0].content == content)
    }
  }

  @Test("what is no object cannot be a job's spec")
  func badSpec() async throws {
    var job = job("x")
    job.spec = ["a", "b"]
    try await withRenderer { [job] renderer in
      let message = try await renderer.failure(job)
      #expect(message == "Invalid spec provided for template evaluation context, Hash expected, Array given")
    }
  }
}
