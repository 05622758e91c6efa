// The operations of an OpenAPI document, as far as requests are made from them.
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly $ref?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly method: string;
  /** With names in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** null: the operation takes no body. */
  readonly body: Schema | null;
  readonly responses: Readonly<Record<string, unknown>>;
  /** Methods that no operation of the path has. */
  readonly otherMethods: readonly string[];
}

/** HEAD goes where GET does. */
const methodsOfHttp = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly Parameter[];
            readonly requestBody?: {
              readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
            };
            readonly responses: Readonly<Record<string, unknown>>;
          }
        >
      >
    >
  >;
}

/** Streams are left out: their answers do not end. */
export function operationsOf(read: unknown): Operation[] {
  const document = read as Document;
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      if (path.endsWith('/stream') || path.startsWith('/bootstrap')) return [];
      const parameters = (operation.parameters ?? []).map((one) => resolved(document, one) as Parameter);
      const content = operation.requestBody?.content['application/json'];
      return [
        {
          method: method.toUpperCase(),
          path,
          parameters: parameters.filter((one) => one.in !== 'header').map((one) => whole(document, one)),
          body: content === undefined ? null : inlined(document, content.schema),
          responses: operation.responses,
          otherMethods: methodsOfHttp.filter((one) => !(one.toLowerCase() in methods)),
        },
      ];
    }),
  );
}

function whole(document: Document, parameter: Parameter): Parameter {
  return { ...parameter, schema: inlined(document, parameter.schema) };
}

function resolved(document: Document, value: unknown): unknown {
  const reference = (value as Schema).$ref;
  if (reference === undefined) return value;
  return reference
    .slice(2)
    .split('/')
    .reduce((at: unknown, step) => (at as Record<string, unknown>)[step], document);
}

/** The schema without references; those of requests do not go in circles. */
function inlined(document: Document, schema: Schema): Schema {
  const found = resolved(document, schema) as Schema;
  const list = (of: readonly Schema[]) => of.map((one) => inlined(document, one));
  return {
    ...found,
    ...(found.properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(found.properties).map(([name, one]) => [name, inlined(document, one)]),
          ),
        }),
    ...(found.items === undefined ? {} : { items: inlined(document, found.items) }),
    ...(found.anyOf === undefined ? {} : { anyOf: list(found.anyOf) }),
    ...(found.oneOf === undefined ? {} : { oneOf: list(found.oneOf) }),
    ...(found.allOf === undefined ? {} : { allOf: list(found.allOf) }),
  };
}
