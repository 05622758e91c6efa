// Whether a peer can be called from outside, and where: detected, or declared by whoever knows better.
import { SelectField, TextField } from '../../parts/form.tsx';

export interface Reachability {
  readonly declared: 'detect' | 'yes' | 'no';
  /** One or several, with commas or spaces between them. */
  readonly endpoint: string;
  /** Empty: chosen by the platform. */
  readonly listenPort: string;
}

export const undeclared: Reachability = { declared: 'detect', endpoint: '', listenPort: '' };

/** As parameters of a change. Null goes back to what is detected. */
export function reachabilityParameters({ declared, endpoint, listenPort }: Reachability): {
  publicly_reachable: boolean | null;
  endpoint_address?: string | null;
  endpoint_addresses?: string[];
  listen_port?: number | null;
} {
  const endpoints = endpoint.split(/[\s,]+/).filter((text) => text !== '');
  const [first = null] = endpoints;
  const port = listenPort.trim();
  return {
    publicly_reachable: declared === 'detect' ? null : declared === 'yes',
    ...(endpoints.length > 1 ? { endpoint_addresses: endpoints } : { endpoint_address: first }),
    // What is no number is for the platform to refuse.
    ...(port === '' ? {} : { listen_port: /^\d+$/.test(port) ? Number(port) : 0 }),
  };
}

export interface ReachabilityFieldsProps {
  readonly value: Reachability;
  readonly onChange: (value: Reachability) => void;
  readonly error: string | null;
  readonly portError: string | null;
}

export function ReachabilityFields({ value, onChange, error, portError }: ReachabilityFieldsProps) {
  return (
    <div className="form-columns">
      <SelectField
        label="Publicly reachable"
        hint="A publicly reachable peer is a hub."
        value={value.declared}
        onChange={(declared) => onChange({ ...value, declared })}
        choices={[
          { value: 'detect', text: 'Detect' },
          { value: 'yes', text: 'Yes' },
          { value: 'no', text: 'No' },
        ]}
      />
      <TextField
        label="Endpoint"
        optional
        mono
        placeholder="203.0.113.5:51820"
        hint="Address and port where peers reach it, such as a port forwarded by a router. Separate several with commas, such as one IPv4 and one IPv6."
        value={value.endpoint}
        onChange={(endpoint) => onChange({ ...value, endpoint })}
        error={error}
      />
      <TextField
        label="Listen port"
        optional
        mono
        placeholder="automatic"
        hint="UDP. A router in front forwards the endpoint’s port to this one."
        value={value.listenPort}
        onChange={(listenPort) => onChange({ ...value, listenPort })}
        error={portError}
      />
    </div>
  );
}
