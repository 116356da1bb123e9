import Certificates
import Files
import Formats
import Glibc
import Surroundings
import TestSupport

/// A real HTTPS server of another make (Python's), which behaves well or badly as the path says.
struct PeerServer: Sendable {
  let url: String
  let caPEM: String
  /// Holds what is served under `/files` and what was put there.
  let folder: String

  /// Starts it, runs the test, and ends it.
  static func with<Result>(_ test: (PeerServer) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder { folder in
      let authority = CertificateAuthority(directory: "\(folder)/ca")
      let identity = try await authority.issue(
        CertificateSubject(commonName: "peer", addresses: ["127.0.0.1"], usages: [.server]))
      try Files.makeFolder("\(folder)/files", mode: 0o700)
      let pem = "\(folder)/server.pem"
      try OpenFile(creating: pem, mode: 0o600).write(Array((identity.certificatePEM + identity.key.reveal()).utf8))
      let process = try TestProcess(path: "/usr/bin/python3", ["-c", script, pem, "\(folder)/files"])
      defer { process.kill() }
      let port = process.read(lines: 1).first ?? "0"
      return try await test(
        PeerServer(url: "https://127.0.0.1:\(port)", caPEM: identity.caPEM, folder: "\(folder)/files"))
    }
  }

  private static let script = """
    import collections, http.server, os, ssl, sys, time
    pem, folder = sys.argv[1:3]
    tries = collections.Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *arguments): pass
        def answer(self, status, body=b"", length=None):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)
        def do_GET(self):
            kind, name = self.path.split("?")[0].split("/")[1:3]
            tries[self.path] += 1
            path = os.path.join(folder, name)
            data = open(path, "rb").read() if os.path.exists(path) else b""
            if kind == "files": self.answer(200, data) if os.path.exists(path) else self.answer(404, b"none")
            elif kind == "tries": self.answer(200, str(tries["/" + self.path.split("?", 1)[1]]).encode())
            elif kind == "status": self.answer(int(name))
            elif kind == "busy": self.answer(503) if tries[self.path] < 3 else self.answer(200, data)
            elif kind == "damaged": self.answer(200, data[:-1] + b"?" if tries[self.path] < 2 else data)
            elif kind == "headers": self.answer(200, self.headers.get("X-Token", "none").encode())
            elif kind == "cut":
                self.answer(200, data[:100], len(data))
                self.close_connection = True
            elif kind == "endless":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while True:
                    self.wfile.write(b"1000\\r\\n" + b"x" * 4096 + b"\\r\\n")
                    time.sleep(0.0005)
        def do_PUT(self):
            kind, name = self.path.split("?")[0].split("/")[1:3]
            tries[self.path] += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if kind == "status": return self.answer(int(name))
            if kind == "busy" and tries[self.path] < 3: return self.answer(500)
            open(os.path.join(folder, name), "wb").write(body)
            self.answer(201)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """
}
