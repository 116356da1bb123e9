extension RubyProgram {
  /// How a worker forks a confined process for each job.
  static let supervisor = #"""
    # Takes orders from the server over a socket, and forks a process for each job. It never sees what is in a job, so
    # that no job's process, which is a copy of this one, can find another job's secrets in its memory.
    #
    # Orders: {"render": id, "user": n, "memory": bytes, "seconds": n} with the job's socket; {"kill": id}. Reports:
    # {"ready": versions}; {"ended": id, "late": bool, "status": n} or, when a signal ended it, "signal": n
    # in place of "status".
    class Supervisor
      Running = Struct.new(:id, :deadline, :late)
      FORK = Process.method(:fork)

      # A process of a job cannot start another, by the limit on their number; but Ruby would try for ever.
      def self.refuse_processes
        refuse = proc { |*| raise Errno::EPERM, "a template cannot start a process" }
        { Kernel => %i[fork spawn system `], Kernel.singleton_class => %i[fork spawn system `],
          Process.singleton_class => %i[fork spawn daemon], IO.singleton_class => %i[popen] }
          .each { |owner, names| names.each { |name| owner.define_method(name, &refuse) } }
      end

      def initialize(control)
        @control = control
        @running = {}
        @woken, @wake = IO.pipe
        trap("CHLD") { @wake.write_nonblock(".", exception: false) }
      end

      def run
        report("ready" => RUBY_VERSION)
        loop do
          readable, = IO.select([@control, @woken], nil, nil, pause)
          obey if readable&.include?(@control)
          @woken.read_nonblock(64, exception: false) if readable&.include?(@woken)
          reap
          stop_late
        end
      end

      private

      def obey
        message, _, _, *ancillary = @control.recvmsg(4096, scm_rights: true)
        exit! if message.nil? || message.empty? # the server is gone

        order = JSON.parse(message)
        if order["render"]
          start(order, ancillary.first.unix_rights.first)
        else
          kill(order["kill"])
        end
      end

      def start(order, socket)
        pid = FORK.call { render(order, socket) }
        @running[pid] = Running.new(order["render"], now + order["seconds"], false)
      rescue SystemCallError => e
        report("ended" => order["render"], "late" => false, "status" => 71, "cause" => e.message)
      ensure
        socket.close
      end

      # In the process of the job.
      def render(order, socket)
        trap("CHLD", "DEFAULT")
        [@control, @woken, @wake].each(&:close)
        begin
          confine(order)
        rescue StandardError => e
          socket.write("?", [e.message.bytesize].pack("N"), e.message)
          exit!(1)
        end
        $stderr.reopen(File::NULL)
        JobRendering.new(socket).run
      ensure
        exit!(0)
      end

      # Limits are lowered and the user is changed for good, before anything of the job is read.
      def confine(order)
        user = order["user"]
        { AS: order["memory"], CPU: order["seconds"].ceil + 1, FSIZE: 0, CORE: 0, NPROC: 1, NOFILE: 64 }
          .each { |name, limit| Process.setrlimit(name, [limit, Process.getrlimit(name).last].min) }
        Process.groups = []
        Process::Sys.setresgid(user, user, user)
        Process::Sys.setresuid(user, user, user)
        raise "the user did not change" unless [Process.uid, Process.euid, Process.gid, Process.egid].uniq == [user]
        raise "the user can change back" if can_become_root?
      end

      def can_become_root?
        Process::Sys.setuid(0)
        true
      rescue Errno::EPERM
        false
      end

      def kill(id)
        pid, = @running.find { |_, job| job.id == id }
        Process.kill(:KILL, pid) if pid
      end

      def reap
        while (pid, status = Process.wait2(-1, Process::WNOHANG))
          job = @running.delete(pid) or next
          report({ "ended" => job.id, "late" => job.late, "status" => status.exitstatus,
                   "signal" => status.termsig }.compact)
        end
      rescue Errno::ECHILD
        nil
      end

      def stop_late
        @running.each do |pid, job|
          next if job.late || job.deadline > now

          job.late = true
          Process.kill(:KILL, pid)
        end
      end

      def pause
        deadline = @running.values.reject(&:late).map(&:deadline).min
        deadline && [deadline - now, 0].max
      end

      def report(message) = @control.sendmsg(JSON.generate(message))
      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
    """#
}
