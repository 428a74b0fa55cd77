/** What a partial update gives: absent leaves the field as it is, null empties it, a value replaces it. */
export type Patch<A> = { readonly [K in keyof A]?: A[K] | null | undefined };

/** The one way in which every PATCH is applied. @param empty what null stands for */
export const patched = <A extends object>(former: A, patch: Patch<A>, empty: A): A => {
  const result = { ...former };
  for (const field of Object.keys(empty) as (keyof A)[]) {
    const given = patch[field];
    if (given !== undefined) result[field] = given === null ? empty[field] : (given as A[keyof A]);
  }
  return result;
};
