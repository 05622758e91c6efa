// The script of `curl … | sh`: brings the agent to a machine that has neither Node nor this checkout, joins it, and
// leaves a service that comes back after a reboot. It is POSIX sh and needs curl and what every Linux has.
import { agentNeeds, packagesOf } from '@powernode/core/machine/needs';
import { agentServiceName, agentServiceUnit, agentStateFolder } from '@powernode/core/machine/service';
import { type PackageEntry, type PackageManifest, packagesPath } from '@powernode/core/wire/packages';

export interface ScriptParts {
  /** null: nothing was built that could be installed. */
  readonly manifest: PackageManifest | null;
  /** Where nodes reach the platform, as an origin. */
  readonly platform: string;
  /** Of the public key that answers there. */
  readonly pin: string;
}

/** Everything is in functions and the last line calls them, so that half a download does nothing. */
// oxlint-disable-next-line max-lines-per-function -- it is the text of one script
export function installScript({ manifest, platform, pin }: ScriptParts): string {
  const { programs, userspaceWireguard } = agentNeeds();
  const packages = (manifest?.packages ?? []).map(packageLine).join('\n');
  const commands = programs.map(({ command }) => command).join(' ');
  return `#!/bin/sh
# Installs the Powernode agent and joins this instance to ${platform}.
# As root: sh install.sh --token TOKEN [--hostname NAME]. Created by the platform; the digests below are of its packages.
set -eu

platform=${quote(platform)}
pin=${quote(pin)}
version=${quote(manifest?.version ?? '')}
state=${agentStateFolder}
# arch format name sha256
packages=${quote(packages)}

say() { echo "powernode: $*"; }
fail() { echo "powernode: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

usage() {
  cat <<'END'
sh install.sh --token TOKEN [--hostname NAME]

Installs the Powernode agent and its dependencies, joins a platform, and starts the service powernode-agent.
  --token TOKEN     join token, created with "powernode join-token create"
  --hostname NAME   name in the fleet (default: the hostname)
END
}

read_arguments() {
  token=\${POWERNODE_JOIN_TOKEN-}
  name=''
  while [ $# -gt 0 ]; do
    case $1 in
      --token) [ $# -ge 2 ] || fail '--token takes a value'; token=$2; shift 2 ;;
      --token=*) token=\${1#*=}; shift ;;
      --hostname) [ $# -ge 2 ] || fail '--hostname takes a value'; name=$2; shift 2 ;;
      --hostname=*) name=\${1#*=}; shift ;;
      --help | -h) usage; exit 0 ;;
      *) usage >&2; fail "there is no option $1" ;;
    esac
  done
}

look() {
  [ "$(uname -s)" = Linux ] || fail "the agent runs on Linux; this is $(uname -s)."
  [ "$(id -u)" = 0 ] || fail 'installing needs root: put "sudo" before "sh".'
  case $token in
    pnj_*) ;;
    '') fail 'give a join token with --token TOKEN (create one with "powernode join-token create").' ;;
    *) fail 'the join token must look like pnj_<secret>_<fingerprint>; check that it was copied completely.' ;;
  esac
  [ ! -e "$state/identity.json" ] ||
    fail 'this instance has already joined a platform. To upgrade the agent, run "powernode agent upgrade"; to join again, run "powernode agent leave" first.'
  processor=$(uname -m)
  case $processor in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no agent for $processor; there are those for x86_64 and aarch64." ;;
  esac
  for tool in curl sha256sum mktemp gzip; do has "$tool" || fail "$tool is needed to install; install it first."; done
  if has apt-get && has dpkg; then format=deb; else format=gz; fi
  entry=$(printf '%s\\n' "$packages" | grep "^$arch $format " || true)
  [ -n "$entry" ] ||
    fail "$platform has no packages for linux on $arch. Build them where the platform runs: ./powernode agent build"
  file=\${entry#* * }
  digest=\${file#* }
  file=\${file% *}
}

# Into a folder that nobody else may write to; checked before anything of it is used.
download() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM HUP
  # Those who unpack packages as a user of their own have to read it.
  chmod 755 "$work"
  say "downloading $file from $platform"
  curl -fsSL --insecure --pinnedpubkey "$pin" -o "$work/$file" "$platform${packagesPath}$file" ||
    fail "$file could not be downloaded from $platform."
  echo "$digest  $work/$file" | sha256sum -c - >/dev/null 2>&1 ||
    fail "$file does not match this script: its SHA-256 is not $digest. Nothing was installed. If the platform has just been upgraded, run the line again."
  chmod 644 "$work/$file"
}

install_deb() {
  say "installing powernode-agent $version and its dependencies with apt-get: ${packagesOf(programs).join(' ')}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >/dev/null || fail 'apt-get update failed.'
  # Recommended packages stay away: one of wireguard-tools is a whole kernel.
  apt-get -q install --yes --no-install-recommends --reinstall --allow-downgrades "$work/$file" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail 'apt-get could not install the package.'
  }
  program=/usr/bin/powernode
}

install_program() {
  missing=''
  for tool in ${commands}; do has "$tool" || missing="$missing $tool"; done
  if [ -n "$missing" ]; then
    has dnf || fail "these programs are missing:$missing. Install them, then run the line again."
    say 'installing with dnf: ${packagesOf(programs, 'fedora').join(' ')}'
    dnf -q -y --setopt=install_weak_deps=False install ${packagesOf(programs, 'fedora').join(' ')} ||
      fail 'dnf could not install the dependencies of the agent.'
  fi
  program=/usr/local/bin/powernode
  say "installing $program $version"
  mkdir -p /usr/local/bin
  gzip -dc "$work/$file" >"$program.draft"
  chmod 755 "$program.draft"
  mv -f "$program.draft" "$program"
  [ -d /etc/systemd/system ] || return 0
  cat >/etc/systemd/system/${agentServiceName}.service <<'END'
${agentServiceUnit('/usr/local/bin/powernode').trimEnd()}
END
}

# The kernel is asked in a network namespace that ends at once.
need_wireguard() {
  ! unshare --net ip link add dev wgtry type wireguard >/dev/null 2>&1 || return 0
  ! has ${userspaceWireguard.command} || return 0
  [ "$format" = deb ] ||
    fail 'the kernel has no WireGuard, and there is no ${userspaceWireguard.command}. Install one of them, then run the line again.'
  say 'the kernel has no WireGuard: installing ${userspaceWireguard.debian} with apt-get'
  apt-get -q install --yes --no-install-recommends ${userspaceWireguard.debian} >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail 'apt-get could not install ${userspaceWireguard.debian}.'
  }
}

join() {
  set --
  [ -z "$name" ] || set -- --hostname "$name"
  # The token goes by the environment, which only root can read.
  POWERNODE_JOIN_TOKEN=$token "$program" agent join --platform "$platform" "$@" ||
    fail "the agent is installed, but joining failed. Join with a valid token: $program agent join --platform $platform --token TOKEN"
}

start() {
  if [ ! -d /run/systemd/system ]; then
    say "systemd is not running, so no service was started. Start the agent with: $program agent run"
    return 0
  fi
  systemctl daemon-reload
  systemctl enable --now powernode-agent >/dev/null 2>&1 ||
    fail 'the service powernode-agent did not start; see: systemctl status powernode-agent'
  say 'the service powernode-agent is running and starts at boot. "powernode agent status" shows its state.'
}

main() {
  read_arguments "$@"
  look
  download
  if [ "$format" = deb ]; then install_deb; else install_program; fi
  need_wireguard
  join
  start
}

main "$@"
`;
}

function packageLine({ arch, format, name, sha256 }: PackageEntry): string {
  return `${arch} ${format} ${name} ${sha256}`;
}

/** For the shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
