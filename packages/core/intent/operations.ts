// Durable operations: long work of the platform that goes on after a restart, step by step.
import { z } from 'zod';
import * as common from './common.ts';

export const operationState = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']);
export type OperationState = z.infer<typeof operationState>;

export const operation = z.object({
  ...common.base,
  kind: z.string().meta({ description: 'What is done, such as instance_drain' }),
  summary: z.string().meta({ description: 'One line for people' }),
  subject_id: common.id.nullable().meta({ description: 'The object that it is about' }),
  state: operationState,
  steps: z.array(z.string()).meta({ description: 'In their order' }),
  step: z.string().nullable().meta({ description: 'The one that runs, or is next; null: it is over' }),
  steps_done: z.int(),
  detail: z.string().nullable().meta({ description: 'What the step said last, such as what it waits for' }),
  attempts: z.int().meta({ description: 'How often in a row the step has failed' }),
  next_attempt_at: common.time.nullable(),
  cancellable: z.boolean(),
  cancel_requested_at: common.time.nullable(),
  input: z.record(z.string(), z.unknown()),
  result: z.record(z.string(), z.unknown()).nullable(),
  error: z.record(z.string(), z.unknown()).nullable(),
  requested_by: z.object({ id: common.id.nullable(), name: z.string() }),
  correlation_id: z.string(),
  ended_at: common.time.nullable(),
});
