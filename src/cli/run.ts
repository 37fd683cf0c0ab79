import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { createCountsCommand } from './counts-command.ts';
import { createJobsCommand } from './jobs-command.ts';
import { createMigrateCommand } from './migrate-command.ts';
import { createSchedulesCommand } from './schedules-command.ts';
import { createServeCommand } from './serve-command.ts';
import { formatError, type Output, TERMINAL } from './terminal.ts';

/** Runs `reseolio` with arguments. Resolves with the exit code: 0, 1 for what failed, 2 for what cannot be asked. */
export async function run(args: readonly string[], output: Output = TERMINAL): Promise<number> {
  const program = new Command('reseolio')
    .description('durable functions: serve a storage, and look into it')
    .version(readVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.err(text.trimEnd()),
    });
  for (const create of COMMANDS) program.addCommand(create(output));
  for (const command of allCommands(program)) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    output.err(formatError(error));
    return 1;
  }
}

const COMMANDS = [
  createServeCommand,
  createJobsCommand,
  createSchedulesCommand,
  createCountsCommand,
  createMigrateCommand,
];

function readVersion(): string {
  const { version } = createRequire(import.meta.url)('reseolio/package.json') as { version: string };
  return version;
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...allCommands(each)]);
}
