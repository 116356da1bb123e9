/// The Ruby program of a worker. It is text in the executable, so that one file is all that has to be installed.
enum RubyProgram {
  static let text = [libraries, context, rendering, supervisor, start].joined(separator: "\n")

  private static let libraries = #"""
    # Templates rely on what BOSH's director has loaded (reference/lifecycle.md 4.2).
    %w[
      base64 cgi date digest erb ipaddr json openssl ostruct pathname securerandom set shellwords socket stringio
      tempfile time uri yaml zlib
    ].each { |library| require library }
    """#

  private static let start = #"""
    # The first use of each of these loads or makes something that the jobs then share.
    JSON.parse(JSON.pretty_generate("a" => [1, 2.5, nil])).to_yaml
    OpenStruct.new("a" => IPAddr.new("10.0.0.1").to_s).a
    OpenSSL::Digest::SHA256.hexdigest(ERB.new("<%= 1 -%>", trim_mode: "-").result)
    Supervisor.refuse_processes
    GC.start
    GC.compact if GC.respond_to?(:compact)
    Supervisor.new(BasicSocket.for_fd(3)).run
    """#
}
