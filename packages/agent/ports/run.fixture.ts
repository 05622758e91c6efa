// Test support: programs that do not exist. What would have been run is kept, as it would stand in a shell.
import { agentOutputBytesMax } from '@powernode/core/limits/agent';
import {
  type Command,
  CommandFailure,
  describeCommand,
  type Followed,
  type Outcome,
  type Run,
  type Started,
  tooLongReason,
} from './run.ts';

/** What a program of that name would do. */
export type Program = (command: Command) => Partial<Outcome> | Promise<Partial<Outcome>>;

export class FakeRun implements Run {
  /** Commands in order, with their input behind them. */
  readonly log: string[] = [];
  readonly #programs: Readonly<Record<string, Program>>;
  #lastPid = 1000;

  constructor(programs: Readonly<Record<string, Program>>) {
    this.#programs = programs;
  }

  async attempt(command: Command): Promise<Outcome> {
    this.#note(command, '');
    const program = this.#find(command);
    const outcome = { exitCode: 0, stdout: '', stderr: '', ...(await program(command)) };
    if (outcome.stdout.length > agentOutputBytesMax) {
      throw failed(command, tooLongReason);
    }
    return outcome;
  }

  async detach(command: Command): Promise<Started> {
    this.#note(command, ' &');
    const outcome = this.#find(command)(command);
    return {
      pid: ++this.#lastPid,
      ended: Promise.resolve(outcome).then((end) => `exit code ${end.exitCode ?? 0}`),
    };
  }

  follow(command: Command, on: { line(text: string): void; ended(why: string): void }): Followed {
    this.#note(command, ' |');
    const program = this.#programs[command.program];
    if (program === undefined) {
      queueMicrotask(() => on.ended('there is no such program on this instance'));
      return { stop: () => undefined };
    }
    void Promise.resolve(program(command)).then(({ stdout = '', exitCode = 0 }) => {
      for (const line of stdout.split('\n').slice(0, -1)) on.line(line);
      on.ended(`exit code ${exitCode}`);
    });
    return { stop: () => undefined };
  }

  #note(command: Command, how: string): void {
    const input = command.input === undefined ? '' : ` <<\n${command.input}`;
    this.log.push(`${describeCommand(command)}${how}${input}`);
  }

  #find(command: Command): Program {
    const program = this.#programs[command.program];
    if (program === undefined) throw failed(command, 'there is no such program on this instance');
    return program;
  }
}

function failed(command: Command, why: string): CommandFailure {
  return new CommandFailure(command, why);
}
