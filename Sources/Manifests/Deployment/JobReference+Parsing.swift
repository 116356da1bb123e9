import Formats
import Releases

extension JobReference {
  init(_ reader: FieldReader) throws {
    name = try reader.identifier("name")
    release = try reader.optionalScalarText("release")
    properties = try reader.optionalObject("properties")
    consumes = [:]
    for (link, value) in try reader.optionalObject("consumes") ?? [:] {
      consumes[link] = try LinkConsumption(value, at: reader.place("consumes.\(link)"))
    }
    provides = [:]
    for (link, value) in try reader.optionalObject("provides") ?? [:] {
      provides[link] = try LinkProvision(value, at: reader.place("provides.\(link)"))
    }
    customProviders = try reader.readers("custom_provider_definitions").map { provider in
      CustomProvider(
        name: try provider.string("name"), type: try provider.string("type"),
        properties: try provider.strings("properties"))
    }
    try reader.requireUnique(customProviders.map(\.name), in: "custom_provider_definitions")
    leases = try reader.leases()
  }
}

extension LinkConsumption {
  init(_ value: Value, at path: String) throws {
    if value == "nil" {
      self = .blocked
      return
    }
    let reader = try FieldReader(value.isNull ? [:] : value, at: path)
    let manual = ["instances", "properties", "address"].filter { reader.value($0) != nil }
    guard let first = manual.first else {
      self = .request(
        Request(
          from: try reader.optionalString("from"), deployment: try reader.optionalString("deployment"),
          network: try reader.optionalString("network"), ipAddresses: try reader.optionalBool("ip_addresses")))
      return
    }
    if let other = ["from", "deployment", "network"].first(where: { reader.value($0) != nil }) {
      throw DroverError(
        .invalid, "\(path): found both '\(other)' and '\(first)'; a link has either a provider or its own content",
        number: 190016)
    }
    guard reader.value("instances") != nil else {
      throw DroverError(
        .invalid, "\(path): '\(first)' without 'instances'; a link with its own content needs them", number: 190016)
    }
    _ = try reader.readers("instances")
    _ = try reader.optionalObject("properties")
    self = .manual(reader.object)
  }
}

extension LinkProvision {
  init(_ value: Value, at path: String) throws {
    if value == "nil" {
      self = .blocked
      return
    }
    let reader = try FieldReader(value.isNull ? [:] : value, at: path)
    self = .settings(
      Settings(
        alias: try reader.optionalString("as"), shared: try reader.optionalBool("shared") ?? false,
        dnsAliases: try reader.optionalArray("aliases") ?? []))
  }
}
