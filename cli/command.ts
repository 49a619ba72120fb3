import type { ExitCode } from './exit-codes.ts';
import type { Shell } from './shell.ts';

/** One of the words that a shell offers when Tab is pressed. */
export interface Candidate {
  value: string;
  about?: string | undefined;
}

/** Looks up what could be written here. `given`: the options written so far, by their names. */
export type Completer = (shell: Shell, given: Record<string, unknown>) => Promise<Candidate[]>;

interface Written {
  about: string;
  choices?: readonly string[];
  completes?: Completer;
}

export interface ArgumentSpec extends Written {
  isOptional?: true;
  /** All that follow. With `isOptional` there may be none. */
  many?: true;
}

export interface OptionSpec extends Written {
  short?: string;
  /** What its value is called in the help. An option without one is a switch. */
  value?: string;
  /** It may be written several times. */
  many?: true;
  /** Throws a `UsageError` that says what to write instead. */
  parse?: (text: string) => unknown;
}

type ArgumentValue<Spec extends ArgumentSpec> = Spec extends { many: true }
  ? string[]
  : Spec extends { isOptional: true }
    ? string | undefined
    : string;

type Parsed<Spec extends OptionSpec> = Spec extends { parse: (text: string) => infer Value }
  ? Value
  : Spec extends { choices: readonly (infer Choice)[] }
    ? Choice
    : string;

type OptionValue<Spec extends OptionSpec> = Spec extends { value: string }
  ? Spec extends { many: true }
    ? Parsed<Spec>[]
    : Parsed<Spec> | undefined
  : boolean;

export type ArgumentSpecs = Record<string, ArgumentSpec>;
/** By their names in code: `dryRun` is written --dry-run. */
export type OptionSpecs = Record<string, OptionSpec>;

export type Given<Arguments extends ArgumentSpecs, Options extends OptionSpecs> = {
  [Name in keyof Arguments]: ArgumentValue<Arguments[Name]>;
} & { [Name in keyof Options]: OptionValue<Options[Name]> };

/** A command, as help, parsing and completion know it. */
export interface Command {
  /** One word, or two: `secret set`. */
  name: string;
  /** A line of the list of commands. */
  summary: string;
  /** Further sentences of its own help. */
  details?: string;
  examples?: readonly string[];
  arguments: ArgumentSpecs;
  options: OptionSpecs;
  run(shell: Shell, given: Record<string, unknown>): Promise<ExitCode | void>;
}

// eslint-disable-next-line typescript/no-generated-empty-object-type -- a command may have none
type NoSpecs = Record<never, never>;

/** Makes a command whose `run` is given its arguments and options by name, with their types. */
export function command<
  const Arguments extends ArgumentSpecs = NoSpecs,
  const Options extends OptionSpecs = NoSpecs,
>(
  spec: Omit<Command, 'arguments' | 'options' | 'run'> & {
    arguments?: Arguments;
    options?: Options;
    run(shell: Shell, given: Given<Arguments, Options>): Promise<ExitCode | void>;
  },
): Command {
  const { run, ...rest } = spec;
  return {
    ...rest,
    arguments: spec.arguments ?? {},
    options: spec.options ?? {},
    run: (shell, given) => run(shell, given as Given<Arguments, Options>),
  };
}
