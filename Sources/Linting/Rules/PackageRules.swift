extension LintRule {
  static let packageRules: [LintRule] = [
    LintRule(
      "packaging-strict", .warning, .release, "A packaging script ends when a command fails.",
      reason: "It is run by 'bash -x packaging', whatever its first line says; without 'set -e' a package that was not "
        + "built counts as built.",
      instead: "Write 'set -eu -o pipefail' into the script.", release: PackageChecks.strict),
    LintRule(
      "packaging-network", .warning, .release, "A packaging script fetches nothing.",
      reason: "Compilation VMs often reach nothing outside, and what is fetched may be another thing tomorrow.",
      instead: "Add it as a blob, and let the package's spec name it.", release: PackageChecks.network),
  ]
}

private enum PackageChecks {
  static func strict(_ release: LintedRelease) -> [LintPlace] {
    release.packages.compactMap { package in
      guard let source = package.packaging else { return nil }
      let script = ShellScript(source.text)
      guard !script.isStrict, script.commands.filter({ !$0.words.isEmpty }).count > 1 else { return nil }
      return source.place("goes on when a command fails")
    }
  }

  static func network(_ release: LintedRelease) -> [LintPlace] {
    release.packages.flatMap { package -> [LintPlace] in
      guard let source = package.packaging else { return [] }
      return ShellScript(source.text).commands.compactMap { command in
        let fetches: Bool
        switch command.programName {
        case "curl", "wget": fetches = command.words.count > 1 && !command.has("--version")
        case "git": fetches = command.has("clone", "fetch", "pull")
        case "apt-get", "apt", "yum": fetches = command.has("install", "update")
        default: fetches = false
        }
        return fetches ? source.place("'\(command.text.prefix(60))' fetches something", line: command.line) : nil
      }
    }
  }
}
