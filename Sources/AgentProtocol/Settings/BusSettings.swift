public import Formats

/// Where the bus is and how an agent proves who it is.
public struct BusSettings: Sendable, Hashable {
  public struct Certificate: Sendable, Hashable {
    /// PEM.
    public var ca: String
    /// PEM.
    public var certificate: String
    /// PEM. Secret.
    public var privateKey: String

    public init(ca: String, certificate: String, privateKey: String) {
      self.ca = ca
      self.certificate = certificate
      self.privateKey = privateKey
    }

    public init(_ reader: FieldReader) throws {
      self.init(
        ca: try reader.optionalString("ca") ?? "", certificate: try reader.optionalString("certificate") ?? "",
        privateKey: try reader.optionalString("private_key") ?? "")
    }

    public var value: Value {
      ["ca": .string(ca), "certificate": .string(certificate), "private_key": .string(privateKey)]
    }
  }

  /// One cluster.
  public var urls: [String]
  public var certificate: Certificate?

  public init(urls: [String], certificate: Certificate? = nil) {
    self.urls = urls
    self.certificate = certificate
  }

  public init(_ reader: FieldReader) throws {
    urls = try reader.strings("urls")
    certificate = try reader.optionalReader("cert").map(Certificate.init)
  }

  public var value: Value {
    var object: ValueObject = ["urls": urls.isEmpty ? .null : Value(urls)]
    if let certificate { object["cert"] = certificate.value }
    return .object(object)
  }
}
