import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The model that is selected: it needs no other. */
export const selected = 'stg_0000';

/** How many models each layer has; the first reads raw data, each other one the layers before it. */
const layers = [
  { prefix: 'stg', folder: 'staging', count: 250, materialized: 'view' },
  { prefix: 'int', folder: 'intermediate', count: 350, materialized: 'view' },
  { prefix: 'fct', folder: 'marts', count: 400, materialized: 'table' },
] as const;
const modelsPerFile = 25;
const sources = 10;

/** Writes a dbt project of 1,000 models for DuckDB, the same one every time. */
export async function writeThousandModels(folder: string): Promise<void> {
  const files: Record<string, string> = {
    'dbt_project.yml': projectFile(),
    'profiles.yml': profile,
    'macros/money.sql': macros,
    'models/staging/sources.yml': sourcesFile(),
  };
  for (const [level, { prefix, folder: layer, count }] of layers.entries()) {
    for (let number = 0; number < count; number += 1) {
      files[`models/${layer}/${nameOf(prefix, number)}.sql`] =
        level === 0 ? rawModel(number) : model(level, number);
      if (number % modelsPerFile === 0) {
        const names = Array.from({ length: Math.min(modelsPerFile, count - number) }, (_, index) =>
          nameOf(prefix, number + index),
        );
        files[`models/${layer}/${nameOf(prefix, number)}.yml`] = schemaFile(names);
      }
    }
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `${content.trim()}\n`);
  }
}

function nameOf(prefix: string, number: number): string {
  return `${prefix}_${String(number).padStart(4, '0')}`;
}

/** Every fifth reads a source, but not the one that is selected: nobody loads them here. */
function rawModel(number: number): string {
  const from =
    number % 5 === 4
      ? `{{ source('raw', 'raw_${number % sources}') }}`
      : `(select ${number} as id, 'customer ${number}' as name, ${number * 100} as amount_cents, date '2026-01-01' as ordered_on)`;
  return `
select
    id,
    trim(name) as name,
    {{ cents_to_euros('amount_cents') }} as amount,
    ordered_on
from ${from}`;
}

function model(level: number, number: number): string {
  const below = layers[level - 1]!;
  // Numbers that spread the references, the same ones every time.
  const references = [number % below.count, (number * 7 + 3) % below.count, (number * 31 + 11) % below.count];
  const [first, ...others] = [...new Set(references)].map((each) => nameOf(below.prefix, each));
  const joins = others.map(
    (name, index) =>
      `left join {{ ref('${name}') }} as other_${index + 1} on other_${index + 1}.id = base.id`,
  );
  return `
{{ config(tags=['${number % 2 === 0 ? 'daily' : 'hourly'}']) }}

with base as (

    select * from {{ ref('${first}') }}

)

select
    base.id,
    base.name,
    {{ no_less_than_zero('base.amount') }} as amount,
    base.ordered_on
from base
${joins.join('\n')}
where base.ordered_on <= {{ today() }}`;
}

/** Every model is described, every fourth is tested. */
function schemaFile(names: string[]): string {
  const models = names.map(
    (name, index) => `
  - name: ${name}
    description: What ${name} holds, one row for each order.
    columns:
      - name: id
        description: The order's number.${index % 4 === 0 ? '\n        data_tests: [unique, not_null]' : ''}
      - name: amount
        description: In euros.`,
  );
  return `version: 2\nmodels:${models.join('')}`;
}

function sourcesFile(): string {
  const tables = Array.from({ length: sources }, (_, number) => `      - name: raw_${number}`);
  return `version: 2\nsources:\n  - name: raw\n    schema: raw\n    tables:\n${tables.join('\n')}`;
}

function projectFile(): string {
  const models = layers.map(
    ({ folder, materialized }) => `    ${folder}: { +materialized: ${materialized} }`,
  );
  return `
name: thousand_models
version: '1.0.0'
config-version: 2
profile: thousand_models
flags: { send_anonymous_usage_stats: false }
models:
  thousand_models:
${models.join('\n')}`;
}

const profile = `
thousand_models:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{{ env_var('DCTL_DATA_DIR', '/data') }}/thousand_models.duckdb"
      threads: 4`;

const macros = `
{% macro cents_to_euros(column) %}round({{ column }} / 100.0, 2){% endmacro %}

{% macro no_less_than_zero(column) %}greatest({{ column }}, 0){% endmacro %}

{% macro today() %}cast('{{ run_started_at.strftime("%Y-%m-%d") }}' as date){% endmacro %}`;
