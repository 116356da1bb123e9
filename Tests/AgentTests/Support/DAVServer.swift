import Digests
import Formats
import Processes
import TestSupport

/// A DAV server of another make (Python's) with basic authentication, which also serves signed URLs that want a header.
struct DAVServer: Sendable {
  let url: String
  /// What is there, below `<two hex digits>/`.
  let folder: String

  static func with<Result>(_ test: (DAVServer) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder { folder in
      let process = try TestProcess(path: "/usr/bin/python3", ["-c", script, folder])
      defer { process.kill() }
      let port = process.read(lines: 1).first ?? "0"
      return try await test(DAVServer(url: "http://127.0.0.1:\(port)", folder: folder))
    }
  }

  func path(_ id: String) -> String { "\(folder)/\(DigestHasher.hex(.sha1, id).prefix(2))/\(id)" }

  func settings(password: String = "agent") -> Value {
    [
      "provider": "dav",
      "options": ["endpoint": .string("\(url)/"), "user": "agent", "password": .string(password)],
    ]
  }

  private static let script = """
    import base64, http.server, os, sys
    folder = sys.argv[1]
    wanted = "Basic " + base64.b64encode(b"agent:agent").decode()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *arguments): pass
        def answer(self, status, body=b""):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def allowed(self):
            if self.path.startswith("/signed/"): return self.headers.get("X-Key") == "secret" and "sig=1" in self.path
            return self.headers.get("Authorization") == wanted
        def place(self):
            return folder + self.path.split("?")[0].replace("/signed", "")
        def do_GET(self):
            if not self.allowed(): return self.answer(401)
            if not os.path.exists(self.place()): return self.answer(404)
            self.answer(200, open(self.place(), "rb").read())
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not self.allowed(): return self.answer(401)
            os.makedirs(os.path.dirname(self.place()), exist_ok=True)
            open(self.place(), "wb").write(body)
            self.answer(201)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """
}
