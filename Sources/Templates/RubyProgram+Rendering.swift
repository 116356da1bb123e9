extension RubyProgram {
  /// How the process of one job renders it.
  static let rendering = #"""
    # Renders one job: reads it from a socket, answers there. Runs in a process of its own, as a user of its own.
    #
    # The request is a line of JSON {job, spec, templates: [{source, size}]} where spec is a size, then that many bytes
    # of spec (JSON), then the bytes of each template. The first template is the monit file, whose error ends the job.
    # The answer has a frame for each template in turn: "=", or "!" for an error, four bytes of length, and the result,
    # or the line and the message, parted by a newline. "." ends the answer.
    class JobRendering
      def initialize(socket)
        @socket = socket
        header = JSON.parse(socket.gets)
        @job = header["job"]
        @spec = socket.read(header["spec"]).force_encoding(Encoding::UTF_8)
        @templates = header["templates"].map do |template|
          [template["source"], socket.read(template["size"]).force_encoding(Encoding::UTF_8)]
        end
      end

      def run
        @templates.each_with_index do |(source, text), place|
          rendered = render(source, text)
          break if !rendered && place.zero?
        end
        @socket.write(".")
        @socket.flush
      end

      private

      def render(source, text)
        file = File.join(@job, source)
        result = evaluate(text, file)
        send_frame("=", result)
        true
      rescue Exception => e # abort and exit in a template are its errors, too
        send_frame("!", "#{line_of(e, file)}\n#{message_of(e)}")
        false
      end

      def evaluate(text, file)
        template = ERB.new(text, trim_mode: "-")
        template.filename = file
        context = Bosh::Common::Template::EvaluationContext.new(JSON.parse(@spec, max_nesting: false))
        template.result(context.get_binding)
      end

      def line_of(error, file)
        (error.backtrace || []).find { |line| line.include?(file) }.to_s.split(":")[1]
      end

      # Up to Ruby 3.3 a missing method's message shows the whole object: here that would be all properties, secrets too.
      def message_of(error)
        plain = [nil, true, false].freeze
        return error.to_s if !error.is_a?(NameError) || plain.include?(error.receiver) || error.receiver.is_a?(Module)

        error.to_s.sub(/\A(undefined .*?) for .*\z/m) { "#{$1} for an instance of #{error.receiver.class}" }
      rescue ArgumentError # it has no receiver
        error.to_s
      end

      def send_frame(kind, content)
        @socket.write(kind, [content.bytesize].pack("N"), content)
        @socket.flush
      end
    end
    """#
}
