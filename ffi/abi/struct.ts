/** A field of a C structure: its offset and its size in bytes. */
export type Field = readonly [offset: number, size: number];

/** A C structure: its size in bytes, and its fields by their C names. */
export interface Struct<Name extends string, Optional extends string = never>
  extends GrowingStruct<Name, Optional> {
  readonly size: number;
}

/** A C structure to which new versions of the system add fields at the end. */
export interface GrowingStruct<Name extends string, Optional extends string = never> {
  readonly fields:
    & { readonly [field in Name]: Field }
    & { readonly [field in Optional]?: Field };
}
