# formula.rb FORMULA SYSTEM CPU ARCHIVES PREFIX: reads a Homebrew formula as brew would on that system, takes
# its archive from the folder ARCHIVES, checks the sum, runs its install below PREFIX, and then its test.
require "digest"
require "fileutils"
require "pathname"
require "tmpdir"

FORMULA, SYSTEM, CPU, ARCHIVES, PREFIX = ARGV

class Place < Pathname
  def install(*files)
    mkpath
    files.each do |file|
      pairs = file.is_a?(Hash) ? file : { file => File.basename(file) }
      pairs.each { |from, to| FileUtils.cp(from, join(to)) }
    end
  end
end

class Formula
  PLACES = { bin: "bin", man1: "share/man/man1", bash_completion: "etc/bash_completion.d",
             zsh_completion: "share/zsh/site-functions",
             fish_completion: "share/fish/vendor_completions.d" }.freeze
  FIELDS = %i[desc homepage version license url sha256].freeze
  class << self
    attr_reader :facts, :its_test

    FIELDS.each { |name| define_method(name) { |value| (@facts ||= {})[name] = value } }
    def on_macos = SYSTEM == "macos" && yield
    def on_linux = SYSTEM == "linux" && yield
    def on_arm = CPU == "arm64" && yield
    def on_intel = CPU == "x64" && yield
    def test(&block) = @its_test = block
    def inherited(formula) = (@@last = formula)
    def last = @@last
  end
  PLACES.each { |name, place| define_method(name) { Place.new(File.join(PREFIX, place)) } }
  def version = self.class.facts[:version]
  def shell_output(command) = IO.popen(command, &:read)
  def assert_match(wanted, text) = text.include?(wanted) || abort("#{wanted} is not in #{text}")
end

load FORMULA
facts = Formula.last.facts
missing = Formula::FIELDS - facts.keys
abort "the formula lacks #{missing}" unless missing.empty?
abort "a description has at most 80 characters" if facts[:desc].length > 80
archive = File.join(ARCHIVES, File.basename(facts[:url]))
abort "another sum: #{archive}" unless Digest::SHA256.file(archive).hexdigest == facts[:sha256]
Dir.mktmpdir do |scratch|
  system("tar", "-xf", archive, "-C", scratch, exception: true)
  formula = Formula.last.new
  # brew goes into the only folder that an archive holds.
  Dir.chdir(Dir.glob("#{scratch}/*").first) { formula.install }
  formula.instance_eval(&Formula.last.its_test) if SYSTEM == "linux" && CPU == "x64"
end
