// Every kind of durable operation of the product. A kind that is not here is run by nobody.
import { operationKinds } from '../coordination/operations/kind.ts';
import { drainOperation } from './fleet/drain-operation.ts';

export const productOperations = operationKinds([drainOperation]);
