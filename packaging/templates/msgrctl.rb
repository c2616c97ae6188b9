class Msgrctl < Formula
  desc "Connect Facebook Pages to a contact centre from a terminal or from CI"
  homepage "@REPOSITORY@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@RELEASES@/msgrctl-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256:msgrctl-@VERSION@-aarch64-apple-darwin.tar.gz@"
    end
    on_intel do
      url "@RELEASES@/msgrctl-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256:msgrctl-@VERSION@-x86_64-apple-darwin.tar.gz@"
    end
  end

  on_linux do
    on_arm do
      url "@RELEASES@/msgrctl-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:msgrctl-@VERSION@-aarch64-unknown-linux-musl.tar.gz@"
    end
    on_intel do
      url "@RELEASES@/msgrctl-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:msgrctl-@VERSION@-x86_64-unknown-linux-musl.tar.gz@"
    end
  end

  def install
    bin.install "msgrctl"
    man1.install Dir["man/*.1"]
    man7.install Dir["man/*.7"]
    bash_completion.install "completions/msgrctl.bash" => "msgrctl"
    fish_completion.install "completions/msgrctl.fish"
    zsh_completion.install "completions/_msgrctl"
  end

  test do
    assert_equal "msgrctl #{version}", shell_output("#{bin}/msgrctl -V").strip
    system bin/"msgrctl", "demo"
  end
end
