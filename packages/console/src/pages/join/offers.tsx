// What a machine that is listed before it joins is made of. Asked only where providers leave a choice.
import { useState } from 'react';
import { useRows } from '../../app/use-rows.ts';
import { SelectField } from '../../parts/form.tsx';
import { Absent } from '../../parts/states.tsx';

const parts = [
  { parameter: 'template_id', label: 'Template' },
  { parameter: 'provider_region_id', label: 'Region' },
  { parameter: 'provider_instance_type_id', label: 'Type' },
] as const;

type Chosen = Record<(typeof parts)[number]['parameter'], string>;

export interface Offers {
  /** null until it is known what there is. */
  readonly chosen: Chosen | null;
  readonly choose: (parameter: keyof Chosen, id: string) => void;
  readonly rows: Record<keyof Chosen, readonly { readonly id: string; readonly name: string }[]>;
  readonly error: Error | null;
  readonly retry: () => void;
}

export function useOffers(enabled: boolean): Offers {
  const templates = useRows('listTemplates', {}, { enabled });
  const regions = useRows('listProviderRegions', {}, { enabled });
  const types = useRows('listInstanceTypes', {}, { enabled });
  const [picked, setPicked] = useState<Partial<Chosen>>({});
  const lists = [templates, regions, types];
  const rows = {
    template_id: templates.rows,
    provider_region_id: regions.rows,
    provider_instance_type_id: types.rows,
  };
  const idOf = (parameter: keyof Chosen) => picked[parameter] ?? rows[parameter][0]?.id ?? '';
  return {
    chosen: lists.every((list) => list.complete)
      ? {
          template_id: idOf('template_id'),
          provider_region_id: idOf('provider_region_id'),
          provider_instance_type_id: idOf('provider_instance_type_id'),
        }
      : null,
    choose: (parameter, id) => setPicked((now) => ({ ...now, [parameter]: id })),
    rows,
    error: lists.find((list) => list.error !== null)?.error ?? null,
    retry: () => {
      for (const list of lists) list.retry();
    },
  };
}

export interface OfferFieldsProps {
  readonly offers: Offers;
  readonly errorOf: (path: string) => string | null;
}

export function OfferFields({ offers, errorOf }: OfferFieldsProps) {
  const { chosen, rows, choose, error, retry } = offers;
  if (chosen === null) return <Absent what="what machines can be made of" error={error} retry={retry} />;
  return parts
    .filter(({ parameter }) => rows[parameter].length > 1)
    .map(({ parameter, label }) => (
      <SelectField
        key={parameter}
        label={label}
        value={chosen[parameter]}
        onChange={(id) => choose(parameter, id)}
        choices={rows[parameter].map(({ id, name }) => ({ value: id, text: name }))}
        error={errorOf(parameter)}
      />
    ));
}
