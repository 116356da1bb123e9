// swift-tools-version: 6.2
import PackageDescription

// The house: a target is a room, and a room may use only rooms on floors below it. docs/architecture.md names every
// room in one sentence, under the same headings as here; scripts/check-architecture compares the arrows with the table of
// floors there, and fails when one points up.

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// A build that is to know its version is told it: DROVER_VERSION=1.2.3 swift build.
let stampedVersion: [CSetting] =
  Context.environment["DROVER_VERSION"].map { [.define("DROVER_VERSION", to: "\"\($0)\"")] } ?? []

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + dependencies,
    swiftSettings: strict)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "_CryptoExtras", package: "swift-crypto")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "drover",
  products: [
    .executable(name: "drover", targets: ["drover"]),
    .executable(name: "droverd", targets: ["droverd"]),
    .executable(name: "drover-agent", targets: ["drover-agent"]),
    .executable(name: "drover-cpi", targets: ["drover-cpi"]),
    .executable(name: "bpm", targets: ["bpm"]),
    .executable(name: "sipid", targets: ["sipid"]),
    .executable(name: "boskos", targets: ["boskos"]),
    .executable(name: "boskosctl", targets: ["boskosctl"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // C: a few functions each, where Swift has no way to say it.
    .target(name: "CLinux", cSettings: stampedVersion),
    .target(name: "CYAML", linkerSettings: [.linkedLibrary("yaml")]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // Values and formats: bytes in, bytes out.
    room("Formats", ["CYAML", collections]),
    room("Digests", ["Formats", crypto]),
    room("Sealing", ["Formats", crypto]),
    room("Surroundings", []),
    room("Files", ["Formats", "Surroundings"]),
    room("Releases", ["Digests", "Formats"]),
    room("Manifests", ["Formats", "Releases"]),
    room("AgentProtocol", ["Formats"]),
    room("GoConventions", ["Formats", "Surroundings"]),
    room("Connections", ["Formats", httpClient, nioCore, nioPosix, nioSSL]),
    room("PoolsProtocol", ["Formats", "GoConventions", "Surroundings"]),

    // Engines: each hides one outside thing.
    room("Archives", ["Digests", "Files", "Formats", "CZlib", "CLinux"]),
    room("Documents", ["Files", "Formats", "Sealing", "Surroundings", grdb]),
    room(
      "Blobs",
      ["Connections", "Digests", "Files", "Formats", "Surroundings", crypto, httpClient, nioCore, nioHTTP1, nioSSL]),
    room("Certificates", ["Files", "Formats", "Surroundings", crypto, cryptoExtras, x509, asn1]),
    room(
      "PoolsClient",
      [
        "Connections", "Files", "Formats", "GoConventions", "PoolsProtocol", "Surroundings", httpClient, nioCore,
        nioHTTP1, nioPosix,
        nioSSL,
      ]),
    room("Processes", ["CLinux", "Files", "Formats", "GoConventions", "Surroundings", logging]),
    room(
      "Messaging",
      ["Files", "Formats", "Processes", "Surroundings", logging, nioCore, nioPosix, nioSSL, nioTLS]),
    room("HTTPService", ["Files", "Formats", "Surroundings", nioCore, nioHTTP1, nioPosix, nioSSL]),
    room("Templates", ["Formats", "Surroundings", "CLinux", logging]),
    room("Containers", ["Formats", "CLinux", logging]),

    // Machines, and artifacts on disk.
    room("ReleaseFiles", ["Archives", "Digests", "Files", "Formats", "Processes", "Releases"]),
    room("Supervision", ["Digests", "Files", "Formats", "Processes", "Surroundings", logging]),
    room("BPM", ["CLinux", "Containers", "Files", "Formats", "Processes", "Surroundings"]),
    room(
      "Clouds",
      ["Archives", "Containers", "Digests", "Files", "Formats", "Processes", "Releases", "Surroundings", logging]),

    // Services.
    room("Pools", ["Documents", "Formats", "GoConventions", "PoolsProtocol", "Sealing", "Surroundings", logging]),
    room("Linting", ["Archives", "Files", "Formats", "Processes", "ReleaseFiles", "Releases", "Supervision"]),
    room(
      "Agent",
      [
        "AgentProtocol", "Archives", "Blobs", "Digests", "Files", "Formats", "HTTPService", "Messaging", "Processes",
        "Releases", "Supervision", "Surroundings", "Templates", logging, httpClient, nioCore, nioHTTP1, nioPosix,
        nioSSL,
      ]),
    room(
      "Director",
      [
        "AgentProtocol", "Archives", "Blobs", "Certificates", "Clouds", "Digests", "Documents", "Files", "Formats",
        "Manifests", "Messaging", "ReleaseFiles", "Releases", "Sealing", "Surroundings", "Templates", crypto, logging,
        lifecycle, systemPackage,
      ]),

    // Faces.
    room(
      "DirectorAPI",
      [
        "Blobs", "Director", "Documents", "Formats", "Surroundings", crypto, httpTypes, hummingbird, hummingbirdTLS,
        logging, nioCore, nioSSL,
      ]),
    room(
      "PoolsAPI",
      [
        "Documents", "Files", "Formats", "GoConventions", "Pools", "PoolsProtocol", "Surroundings", crypto, httpTypes,
        hummingbird,
        lifecycle, logging, nioCore,
      ]),
    room("PoolsControl", ["Formats", "GoConventions", "PoolsClient", "PoolsProtocol", "Surroundings"]),
    room(
      "PoolsCommands",
      [
        "Files", "Formats", "HTTPService", "Pools", "PoolsClient", "PoolsProtocol", "Processes", "Surroundings",
        logging,
      ]),
    room(
      "CommandLine",
      [
        "AgentProtocol", "Archives", "Clouds", "Connections", "Digests", "Files", "Formats", "GoConventions",
        "HTTPService", "Linting",
        "Manifests", "Pools", "PoolsClient", "PoolsCommands", "PoolsProtocol", "Processes", "ReleaseFiles", "Releases",
        "Surroundings",
        arguments, httpClient, logging, nioCore, nioHTTP1, nioSSL, unixSignals,
      ]),

    // Whole servers.
    room(
      "Server",
      [
        "AgentProtocol", "Blobs", "Certificates", "Clouds", "Director", "DirectorAPI", "Documents", "Files",
        "Formats", "GoConventions", "Messaging", "Pools", "PoolsAPI", "PoolsClient", "PoolsCommands", "PoolsProtocol",
        "Processes",
        "Releases", "Surroundings", "Templates", configuration, hummingbird, lifecycle, logging,
      ]),

    // Programs: nothing but wiring.
    program("drover", ["CommandLine", "Processes"]),
    program("droverd", ["Formats", "Processes", "Server", "Surroundings", arguments, logging]),
    program("drover-agent", ["Agent", "Formats", "Messaging", "Processes", "Supervision", "Surroundings", logging]),
    program("bpm", ["BPM", "Processes"]),
    program("drover-cpi", ["Clouds", "Formats", "Processes", "Surroundings", logging]),
    program("boskosctl", ["PoolsControl", "Processes", "Surroundings"]),
    program("boskos", ["PoolsAPI", "Processes", "Surroundings"]),
    program("sipid", ["Formats", "Processes", "Surroundings", httpClient, nioCore, nioHTTP1, nioSSL]),

    .executableTarget(
      name: "drover-bench",
      dependencies: [
        "AgentProtocol", "Archives", "Certificates", "Digests", "Files", "Formats", "Messaging", "Processes",
        "Surroundings", arguments, logging,
      ], path: "Benchmarks",
      exclude: ["release", "manifest.yml", "errands.yml"], swiftSettings: strict),

    // Tests.
    .target(
      name: "TestSupport",
      dependencies: [
        "CLinux", "Files", "Formats", "HTTPService", "Surroundings", httpClient, logging, nioCore, nioHTTP1, nioSSL,
      ],
      path: "Tests/TestSupport", swiftSettings: strict),
    tests("Formats"),
    tests("Digests", ["Formats"]),
    tests("Sealing", ["Formats"]),
    .executableTarget(
      name: "document-writer", dependencies: ["Documents"], path: "Tests/Fixtures/document-writer",
      swiftSettings: strict),
    .target(
      name: "CPowerCut", path: "Tests/Fixtures/CPowerCut", linkerSettings: [.linkedLibrary("sqlite3")]),
    .executableTarget(
      name: "file-writer", dependencies: ["Files"], path: "Tests/Fixtures/file-writer", swiftSettings: strict),
    tests("Files", ["Formats", "Surroundings", "file-writer"]),
    tests("Surroundings"),
    tests("Releases", ["Digests", "Formats"]),
    tests("ReleaseFiles", ["Archives", "Digests", "Files", "Formats", "Releases"]),
    tests("Manifests", ["Formats", "Releases"]),
    tests("AgentProtocol", ["Formats"]),
    tests("Archives", ["Digests", "Files", "Formats"]),
    tests("Documents", ["Files", "Formats", "Sealing", "Surroundings", "CPowerCut"]),
    tests("Blobs", ["Certificates", "Digests", "Files", "Formats", "Surroundings"]),
    tests("Certificates", ["Surroundings"]),
    .executableTarget(
      name: "runner-fixture", dependencies: ["Formats", "Processes"], path: "Tests/Fixtures/runner",
      swiftSettings: strict),
    tests("Processes", ["Files", "Formats", "HTTPService", "Surroundings", "runner-fixture", "sipid"]),
    tests("Messaging", ["Certificates", "Files", "Formats", "Surroundings", nioCore, logging]),
    tests("HTTPService", ["Certificates", "Formats", "Surroundings", nioCore, nioEmbedded, nioHTTP1]),
    tests("Templates", ["Formats", "Surroundings", logging]),
    tests("Containers", ["Formats"]),
    tests("Supervision", ["Files", "Formats", "Processes", "Surroundings", "runner-fixture", logging]),
    tests("BPM", ["Containers", "Digests", "Files", "Formats", "Processes", "Surroundings", "bpm"]),
    tests("Clouds", ["Archives", "Containers", "Files", "Formats", "Processes", "Surroundings", "bpm", logging]),
    tests(
      "Agent",
      [
        "AgentProtocol", "Archives", "Certificates", "Digests", "Director", "Documents", "Files", "Formats",
        "HTTPService", "Manifests", "Messaging", "Processes", "Releases", "Supervision", "Surroundings", "Templates",
        logging,
      ]),
    tests(
      "Director",
      [
        "AgentProtocol", "Archives", "Blobs", "Clouds", "Documents", "Formats", "Manifests", "Messaging", "Releases",
        "Sealing", "Surroundings", "Templates", logging,
      ]),
    tests(
      "DirectorAPI",
      [
        "AgentProtocol", "Archives", "Blobs", "Clouds", "Digests", "Director", "Documents", "Files", "Formats",
        "HTTPService", "Messaging", "Surroundings", "Templates", httpTypes, hummingbird, hummingbirdTesting, logging,
        nioCore,
      ]),
    tests("GoConventions", ["Formats", "Surroundings"]),
    tests("PoolsProtocol", ["Formats", "Surroundings"]),
    tests("Pools", ["CPowerCut", "Documents", "Formats", "PoolsProtocol", "Sealing", "Surroundings", logging]),
    tests(
      "PoolsAPI",
      [
        "boskos", "Documents", "Formats", "GoConventions", "Pools", "PoolsCommands", "PoolsProtocol", "Surroundings",
        httpClient,
        httpTypes, hummingbird, lifecycle, logging, nioCore, nioHTTP1,
      ]),
    tests("PoolsClient", ["Formats", "HTTPService", "PoolsProtocol", "Surroundings"]),
    tests("PoolsControl", ["Formats", "HTTPService", "PoolsClient", "PoolsProtocol", "Processes", "Surroundings"]),
    tests(
      "PoolsCommands",
      [
        "boskos", "drover", "droverd", "Files", "Formats", "HTTPService", "Pools", "PoolsAPI", "PoolsClient",
        "PoolsProtocol", "Processes", "Surroundings", logging,
      ]),
    tests("Linting", ["Files", "Formats", "Processes", "ReleaseFiles"]),
    tests(
      "Server",
      [
        "AgentProtocol", "Certificates", "Director", "Documents", "Files", "Formats", "HTTPService", "Messaging",
        "Pools", "PoolsAPI", "PoolsCommands", "PoolsProtocol", "Sealing", "Surroundings", configuration, logging,
      ]),
    tests("CommandLine", ["Files", "Formats", "Processes", arguments, nioCore, nioSSL]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["Files", "Formats", "Processes", "TestSupport", httpClient, nioCore, nioHTTP1],
      swiftSettings: strict),
  ]
)
