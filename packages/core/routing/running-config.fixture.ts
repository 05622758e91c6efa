// Test support: a bgpd that takes lines in its configuration mode and prints its running configuration, as far as the
// configuration of routing goes. It is as strict as bgpd: a line that changes nothing, or removes a line that
// is not there, is a fault of its sender.
import { type ConfigLine, configText, opensContext } from './config-lines.ts';

const oneValue = [
  /^(neighbor \S+ route-map) \S+ (in|out)$/,
  /^(neighbor \S+ (?:maximum-prefix|allowas-in|update-source|timers connect|bfd profile|remote-as)) /,
  /^(network \S+) route-map /,
  /^(bgp router-id|timers bgp|bgp route-map delay-timer|call) /,
  /^(set (?:metric|local-preference|as-path prepend|community|large-community|ipv6 next-hop global)) /,
  /^(match (?:ip|ipv6) address|match (?:community|large-community|as-path)) /,
  /^((?:ip|ipv6) prefix-list \S+ seq \d+|bgp \S+ (?:access-list|standard) \S+ seq \d+) /,
];

export class ModelBgpd {
  #lines: ConfigLine[] = [];
  #path: readonly string[] = [];

  constructor(lines: readonly ConfigLine[]) {
    this.#lines = [...lines];
  }

  /** In another order, as bgpd prints it. */
  runningConfig(): string {
    const top = this.#lines.filter(({ path }) => path.length === 0).toReversed();
    return `frr version 8.4.4\nfrr defaults traditional\n!\nhostname vm\nbgp no-rib\n!\n${configText(top.flatMap((one) => [one, ...this.#inside([one.line])]))}!\nend\n`;
  }

  #inside(path: readonly string[]): ConfigLine[] {
    const direct = this.#lines.filter((one) => one.path.join('\n') === path.join('\n'));
    return direct.flatMap((one) => [one, ...this.#inside([...path, one.line])]);
  }

  take(command: string): void {
    if (command === 'exit' || command === 'exit-address-family') {
      if (this.#path.length === 0) throw new Error('leaves the configuration mode');
      this.#path = this.#path.slice(0, -1);
    } else if (command === 'no bgp network import-check' || command === 'no bgp default ipv4-unicast')
      this.#add(command);
    else if (command.startsWith('no ')) this.#remove(command.slice(3));
    else this.#add(command);
  }

  #isHere = ({ path }: ConfigLine) => path.join('\n') === this.#path.join('\n');

  #add(line: string): void {
    const isThere = this.#lines.some((one) => this.#isHere(one) && one.line === line);
    if (opensContext(line)) {
      if (!isThere) this.#lines.push({ path: this.#path, line });
      this.#path = [...this.#path, line];
      return;
    }
    if (isThere) throw new Error(`changes nothing: ${line}`);
    const [, group] = /^neighbor \S+ peer-group (\S+)$/.exec(line) ?? [];
    if (group !== undefined && !this.#lines.some((one) => one.line === `neighbor ${group} peer-group`)) {
      throw new Error(`there is no such group: ${line}`);
    }
    const slot = slotOf(line);
    if (slot !== null)
      this.#lines = this.#lines.filter((one) => !this.#isHere(one) || slotOf(one.line) !== slot);
    this.#lines.push({ path: this.#path, line });
  }

  #remove(line: string): void {
    const before = this.#lines.length;
    const context = [...this.#path, line].join('\n');
    const [, neighbor] = /^neighbor (\S+)(?: peer-group)?$/.exec(line) ?? [];
    this.#lines = this.#lines.filter((one) => {
      if (neighbor !== undefined && one.line.startsWith(`neighbor ${neighbor} `)) return false;
      const isInside = one.path.slice(0, this.#path.length + 1).join('\n') === context;
      return !isInside && !(this.#isHere(one) && one.line === line);
    });
    if (this.#lines.length === before) throw new Error(`is not there: no ${line}`);
    if (neighbor !== undefined && this.#lines.some((one) => one.line.endsWith(` peer-group ${neighbor}`))) {
      throw new Error(`somebody is in it: no ${line}`);
    }
  }
}

function slotOf(line: string): string | null {
  for (const kind of oneValue) {
    const match = kind.exec(line);
    if (match !== null) return match.slice(1).join(' ');
  }
  return null;
}
