// Every migration in its order. A number that has been released is never changed, reused or removed.
import type { Migration } from '../migrate.ts';
import { overlay } from './0001-overlay.ts';
import { services } from './0002-services.ts';
import { policies } from './0003-policies.ts';

export const migrations: readonly Migration[] = [overlay, services, policies];
