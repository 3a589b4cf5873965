class Bgecs < Formula
  desc "Blue/green releases on Amazon ECS Fargate, verified from the client's side"
  homepage "@repository@"
  version "@version@"
  license any_of: ["MIT", "Apache-2.0"]

  @archives@
  def install
    bin.install "bgecs"
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/bgecs.bash" => "bgecs"
    fish_completion.install "completions/bgecs.fish"
    zsh_completion.install "completions/_bgecs"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/bgecs --version")
  end
end
