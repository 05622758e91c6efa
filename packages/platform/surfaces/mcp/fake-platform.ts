// For tests of the MCP surface: a platform of two networks, where deleting one waits for a decision. No database.
import { randomUUID } from 'node:crypto';
import { definitionOf } from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
import { type Permission, permissionNames } from '@powernode/core/intent/account';
import { fieldProblems, validationMessage } from '@powernode/core/validation';
import type { Authenticate, Caller, Invocation, Outcome } from '../../actions/invoke-types.ts';
import { type McpSurfaceOptions, mcpSurface } from './surface.ts';

export const testToken = 'test-token-not-a-secret';
export const networkId = '01990000-0000-7000-8000-000000000001';
const accountId = '01990000-0000-7000-8000-0000000000aa';
const time = '2026-08-01T00:00:00.000Z';

type Row = Record<string, unknown>;

export class FakePlatform {
  readonly networks = new Map<string, Row>([[networkId, network(networkId, 'office')]]);
  readonly approvals = new Map<string, Row>();
  readonly invocations: Invocation[] = [];
  readonly logged: string[] = [];
  permissions: Set<Permission> = new Set(permissionNames);
  operatorId = '01990000-0000-7000-8000-0000000000bb';

  readonly authenticate: Authenticate = async ({ authorization }) => {
    if (authorization === `Bearer ${testToken}`) return this.caller();
    throw new ProductError('unauthenticated', 'Send a valid token: Authorization: Bearer …');
  };

  readonly invoke = async (invocation: Invocation): Promise<Outcome> => {
    this.invocations.push(invocation);
    const input = parse(invocation);
    switch (invocation.action) {
      case 'listNetworks':
        return ok({
          networks: [...this.networks.values()],
          count: this.networks.size,
          has_more: false,
          next_cursor: null,
        });
      case 'getNetwork':
        return ok({ network: this.networkOf(input) });
      case 'createNetwork':
        return { status: 201, body: { network: this.add(String(input['name'])) } };
      case 'deleteNetwork':
        return input['dry_run'] === true
          ? ok({ network: this.networkOf(input), dry_run: true })
          : this.defer(input);
      case 'getApproval':
        return ok({ approval: this.approvalOf(input) });
      case 'decideApproval':
        if (invocation.overMcp === 'model') {
          throw new ProductError('permission_denied', 'The gate lets only a person decide.');
        }
        return ok({ approval: this.decide(input) });
      default:
        throw new Error('secret words of the inside');
    }
  };

  surface(options: Partial<McpSurfaceOptions> = {}) {
    return mcpSurface({
      invoke: this.invoke,
      authenticate: this.authenticate,
      log: { warn: () => undefined, error: (_, message) => void this.logged.push(message) },
      version: '0.0.0-test',
      allowedHosts: ['platform.example'],
      questionKey: new Uint8Array(32).fill(7),
      sourceOf: () => '127.0.0.1',
      newId: randomUUID,
      ...options,
    });
  }

  private caller(): Caller {
    const { operatorId, permissions } = this;
    return {
      operatorId,
      operatorName: 'Test',
      accountId,
      tokenId: 'token',
      token: { name: 'test', madeBy: null, expiresAt: null, isLimited: false, isForModel: false },
      role: 'owner',
      permissions,
      platformAdmin: false,
    };
  }

  private networkOf(input: Row): Row {
    const found = this.networks.get(String(input['network_id']));
    if (found === undefined)
      throw new ProductError('not_found', `There is no network ${String(input['network_id'])}.`);
    return found;
  }

  private add(name: string): Row {
    const made = network(randomUUID(), name);
    this.networks.set(String(made['id']), made);
    return made;
  }

  private defer(input: Row): Outcome {
    const id = randomUUID();
    const { name } = this.networkOf(input);
    const operation = {
      id,
      action: 'system_sdwan_delete_network',
      summary: `Delete network ${String(name)}`,
      expires_at: time,
    };
    const plan = {
      nodes: [
        {
          instance_id: networkId,
          hostname: 'edge-1',
          changes: [{ op: 'remove', key: 'interface/wg-abcdef', detail: 'interface wg-abcdef' }],
          changes_count: 3,
        },
      ],
      node_count: 1,
      truncated: false,
    };
    const { dry_run: _dryRun, approve: _approve, ...asked } = input;
    this.approvals.set(id, {
      ...operation,
      input: asked,
      plan,
      status: 'pending',
      result: null,
      error: null,
    });
    return { status: 202, body: { pending: true, deferred_operation: operation, plan } };
  }

  private approvalOf(input: Row): Row {
    const found = this.approvals.get(String(input['approval_id']));
    if (found === undefined) throw new ProductError('not_found', 'There is no such approval.');
    return found;
  }

  private decide(input: Row): Row {
    const approval = this.approvalOf(input);
    if (approval['status'] !== 'pending') throw new ProductError('conflict', 'It is decided already.');
    const asked = approval['input'] as Row;
    const approved = input['decision'] === 'approve';
    approval['status'] = approved ? 'approved' : 'rejected';
    if (approved) {
      approval['result'] = { network: this.networkOf(asked) };
      this.networks.delete(String(asked['network_id']));
    }
    return approval;
  }
}

function parse(invocation: Invocation): Row {
  const parsed = inputOf(definitionOf(invocation.action)).safeParse(invocation.input, {
    error: validationMessage,
  });
  if (parsed.success) return parsed.data;
  const fields = fieldProblems(parsed.error, 'is not a parameter of this action');
  throw new ProductError('validation_failed', 'Correct the parameters named in errors.', { fields });
}

function network(id: string, name: string): Row {
  return {
    id,
    account_id: accountId,
    created_at: time,
    updated_at: time,
    revision: 1,
    name,
    description: '',
    handle: 'abcdef',
    prefix: 'fd00:1:2:3::/64',
    ipv4_prefix: null,
    pod_subnet_prefix: null,
    flannel: null,
    routing_mode: 'static',
    topology_strategy: 'hub_and_spoke',
    firewall_default_policy: 'accept',
    direct_paths: true,
    rematch_connections: true,
    mtu: 1420,
    status: 'active',
    peer_count: 0,
    hub_count: 0,
  };
}

function ok(body: Row): Outcome {
  return { status: 200, body };
}
