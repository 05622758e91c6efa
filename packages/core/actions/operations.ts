// Durable operations of the platform: what they do, how far they are, and ending them.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { operation, operationState } from '../intent/operations.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'autonomy' as const;

export const operationActions = {
  listOperations: read({
    area,
    name: 'system_list_operations',
    title: 'List operations',
    description:
      'Long-running work of the platform, such as a drain that waits for other instances, newest first, with its progress and what it waits for. Each step is an event (system.operation.*).',
    input: {
      ...pageInput,
      state: operationState.optional(),
      kind: common.line(100).optional(),
    },
    output: { operations: z.array(operation), ...pageOutput },
    columns: { operations: ['id', 'kind', 'state', 'step', 'detail', 'summary', 'created_at'] },
    permission: 'system.operations.read',
    route: { method: 'GET', path: '/operations' },
    cli: { noun: 'operation', verb: 'list' },
  }),
  getOperation: read({
    area,
    name: 'system_get_operation',
    title: 'Get an operation',
    description: 'One operation, with its steps, what it waits for, and its result or why it failed.',
    input: { operation_id: common.id },
    output: { operation },
    permission: 'system.operations.read',
    subject: 'operation_id',
    route: { method: 'GET', path: '/operations/{operation_id}' },
    cli: { noun: 'operation', verb: 'get' },
  }),
  cancelOperation: mutate({
    area,
    name: 'system_cancel_operation',
    title: 'Cancel an operation',
    description:
      'Ends an operation that is not over, after the step that runs. What its steps have done already is not undone, unless the kind of operation says so. It needs the permission of the action that began it too.',
    input: { operation_id: common.id, reason: common.description.optional() },
    output: { operation },
    permission: 'system.operations.manage',
    category: 'system.operation_cancel',
    kind: 'update',
    needsPerson: 'always',
    revised: false,
    subject: 'operation_id',
    route: { method: 'POST', path: '/operations/{operation_id}/cancel' },
    cli: { noun: 'operation', verb: 'cancel' },
  }),
} as const;
