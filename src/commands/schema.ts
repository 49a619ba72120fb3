import { z } from 'zod';
import { projectTypes } from './project-type.ts';

export const commandToCheck = z.strictObject({
  command: z.string().max(20_000, 'write at most 20000 characters').meta({ example: 'dbt build' }),
  type: z.enum(projectTypes).default('dbt').meta({ description: "The type of the command's project" }),
});

export const commandVerdict = z.discriminatedUnion('accepted', [
  z.object({
    accepted: z.literal(true),
    command: z.string().meta({ description: 'As it would be kept: without the spaces around it' }),
    words: z.array(z.string()).meta({ description: 'What dbt or SQLMesh gets, word by word' }),
  }),
  z.object({
    accepted: z.literal(false),
    detail: z.string().meta({ description: 'What is wrong, and what to write instead' }),
    position: z.number().int().meta({
      description: 'Where in the text, in UTF-16 units; its length where something is missing at the end',
    }),
  }),
]);
