// Whether a peer can be called from outside, and where: detected, or declared by whoever knows better.
import { SelectField, TextField } from '../../parts/form.tsx';

export interface Reachability {
  readonly declared: 'detect' | 'yes' | 'no';
  readonly endpoint: string;
}

export const undeclared: Reachability = { declared: 'detect', endpoint: '' };

/** As parameters of a change. Null goes back to what is detected. */
export function reachabilityParameters({ declared, endpoint }: Reachability): {
  publicly_reachable: boolean | null;
  endpoint_address: string | null;
} {
  return {
    publicly_reachable: declared === 'detect' ? null : declared === 'yes',
    endpoint_address: endpoint.trim() === '' ? null : endpoint.trim(),
  };
}

export interface ReachabilityFieldsProps {
  readonly value: Reachability;
  readonly onChange: (value: Reachability) => void;
  readonly error: string | null;
}

export function ReachabilityFields({ value, onChange, error }: ReachabilityFieldsProps) {
  return (
    <div className="form-columns">
      <SelectField
        label="Publicly reachable"
        hint="Whoever others can call from outside is a hub."
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
        hint="Where others meet it, such as behind a port forward."
        value={value.endpoint}
        onChange={(endpoint) => onChange({ ...value, endpoint })}
        error={error}
      />
    </div>
  );
}
