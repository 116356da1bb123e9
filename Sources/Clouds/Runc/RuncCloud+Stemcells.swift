import Files
public import Formats
import Processes

/// Stemcells: unpacked root file systems, the lower layers of VMs.
extension RuncCloud {
  /// Unpacks the image, unless it was before: the id is made of its digest.
  public func createStemcell(
    imagePath: String, cloudProperties: ValueObject, tags: ValueObject
  ) async throws -> String {
    try checkConfiguration()
    guard try Files.exists(imagePath) else {
      throw CloudError(.cloudError, "creating a stemcell: there is no image \(imagePath)")
    }
    let digest = try await Command("sha256sum", imagePath).run().text.prefix { $0 != " " }
    let id = "stemcell-\(digest.prefix(20))"
    return try await locked(.stemcell(id)) {
      let folder = stemcellFolder(id)
      if try Files.exists("\(folder)/stemcell.json") { return id }
      let half = "\(directory)/stemcells/.new-\(id)"
      try await Command("rm", "-rf", "--one-file-system", half, folder).run()
      try Files.makeFolder("\(half)/rootfs")
      do {
        try await unpack(imagePath, into: "\(half)/rootfs")
        try Files.replace(
          "\(half)/stemcell.json",
          with: JSON.bytes(["image": .string("sha256:\(digest)"), "cloud_properties": .object(cloudProperties)]))
        try await Command("mv", "-T", half, folder).run()
      } catch {
        _ = try? await Command("rm", "-rf", "--one-file-system", half).run()
        throw error
      }
      return id
    }
  }

  private func unpack(_ image: String, into folder: String) async throws {
    // tar refuses members that lead out of the folder, and pigz reads ahead on another core.
    let result = try await Command(
      "tar", "--extract", "--file", image, "--directory", folder, "--use-compress-program",
      "sh -c 'command -v pigz >/dev/null && exec pigz -d || exec gzip -d'", "--numeric-owner", "--preserve-permissions",
      "--same-owner", "--xattrs", "--xattrs-include=*", "--delay-directory-restore"
    ).result()
    guard result.succeeded else {
      throw CloudError(.cloudError, "unpacking the stemcell image \(image): \(result.lastErrorLines())")
    }
    guard try Files.exists("\(folder)/sbin/init") else {
      throw CloudError(
        .cloudError,
        "unpacking the stemcell image \(image): it has no /sbin/init; expected one for the runc cloud "
          + "(stemcell format drover-runc)")
    }
  }

  public func deleteStemcell(_ stemcell: String) async throws {
    try Self.checkID(stemcell, "stemcell", .cloudError)
    try await locked(.stemcell(stemcell)) {
      if let user = try records().first(where: { $0.stemcell == stemcell }) {
        throw CloudError(.cloudError, "deleting \(stemcell): \(user.id) runs on it")
      }
      let folder = stemcellFolder(stemcell)
      // Without its record it is no stemcell any more, whatever interrupts the rest.
      try Files.remove("\(folder)/stemcell.json")
      try await Command("rm", "-rf", "--one-file-system", folder).run()
    }
  }
}
