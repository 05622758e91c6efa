// All actions of the product in one fixed order, by name. Surfaces iterate over this; handlers are keyed on it.
import { accountActions } from './accounts.ts';
import { autonomyActions } from './autonomy.ts';
import { changeActions } from './changes.ts';
import type { ActionDefinition } from './define.ts';
import { deviceActions } from './devices.ts';
import { firewallActions } from './firewall.ts';
import { fleetActions } from './fleet.ts';
import { operationActions } from './operations.ts';
import { portMappingActions } from './port-mappings.ts';
import { provisioningActions } from './provisioning.ts';
import { routingActions } from './routing.ts';
import { sdwanActions } from './sdwan.ts';
import { skillActions } from './skills.ts';
import { subnetActions } from './subnets.ts';
import { virtualIpActions } from './virtual-ips.ts';

export const actions = {
  ...accountActions,
  ...fleetActions,
  ...changeActions,
  ...provisioningActions,
  ...operationActions,
  ...sdwanActions,
  ...virtualIpActions,
  ...portMappingActions,
  ...subnetActions,
  ...firewallActions,
  ...routingActions,
  ...deviceActions,
  ...autonomyActions,
  ...skillActions,
} as const;

export type Actions = typeof actions;
/** The short name of an action inside the code: `createNetwork`. */
export type ActionKey = keyof Actions;

export const actionKeys = Object.keys(actions) as ActionKey[];

const byName = new Map<string, ActionKey>(actionKeys.map((key) => [actions[key].name, key]));

/** The key of an action by its public name (`system_sdwan_create_network`), or undefined. */
export function actionKeyOf(name: string): ActionKey | undefined {
  return byName.get(name);
}

/** The definition without its precise types, for code that treats all actions alike. */
export function definitionOf(key: ActionKey): ActionDefinition {
  return actions[key];
}
