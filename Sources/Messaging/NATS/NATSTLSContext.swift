import Formats
import NIOCore
import NIOSSL

/// The TLS side of a connection: made once, so that bad certificates are found at the start.
struct NATSTLSContext: Sendable {
  private let context: NIOSSLContext
  private let rule: NATSTLS.ServerNameRule

  /// - Throws: `DroverError` (`invalid`) if a certificate or key can't be read or they don't belong together.
  init(_ tls: NATSTLS) throws {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    do {
      configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(tls.caPEM.utf8)))
    } catch {
      throw DroverError(.invalid, "TLS for NATS: the authority's certificate can't be read", cause: error)
    }
    configuration.certificateVerification = tls.serverName == .host ? .fullVerification : .noHostnameVerification
    if let certificate = tls.certificatePEM, let key = tls.key {
      do {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
          .map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(key.reveal().utf8), format: .pem))
      } catch {
        throw DroverError(.invalid, "TLS for NATS: the client's certificate or key can't be read", cause: error)
      }
    }
    do { context = try NIOSSLContext(configuration: configuration) } catch {
      throw DroverError(
        .invalid, "TLS for NATS: the client's certificate and key can't be used together", cause: error)
    }
    rule = tls.serverName
  }

  func handler(for server: NATSAddress) throws -> NIOSSLClientHandler {
    let isAddress = (try? SocketAddress(ipAddress: server.host, port: 0)) != nil
    return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : server.host)
  }

  /// Refuses a server whose certificate, though issued by the authority, is made out to somebody else.
  func check(_ certificate: NIOSSLCertificate?, of server: NATSAddress) throws(DroverError) {
    guard rule == .boshNATS else { return }
    let names = CertificateNames(der: (try? certificate?.toDERBytes()) ?? [])
    let all = names.commonNames + names.dnsNames
    guard all.contains(where: BOSHServerName.isAllowed) else {
      throw DroverError(
        .forbidden,
        "connecting to NATS at \(server): the server's certificate is for \(all.joined(separator: ", ").debugDescription)"
          + ", but must be for a name like default.nats.bosh-internal")
    }
  }
}
