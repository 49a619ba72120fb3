/** Below it is all that is stored of what was prepared of a deployment. */
export function parsedKey(deploymentId: string): string {
  return `parsed/${deploymentId}`;
}

/** Below it is what one preparation has stored: a folder named for the digest of its tar. */
export function preparationKey({ id, deploymentId }: { id: string; deploymentId: string }): string {
  return `${parsedKey(deploymentId)}/${id}`;
}

export interface StoredPreparation {
  id: string;
  deploymentId: string;
  digest: string;
}

/** A tar of what comes below a container's work folder: packages, and what dbt remembers of a parsed project. */
export function preparedFilesKey(stored: StoredPreparation): string {
  return `${preparationKey(stored)}/${stored.digest}/files.tar`;
}

/** Of dbt's own files, as people may see them. */
export function preparedManifestKey(stored: StoredPreparation, name: ManifestName): string {
  return `${preparationKey(stored)}/${stored.digest}/${name}`;
}

/** What dbt writes of a project when it parses it. */
export const manifestNames = ['manifest.json', 'semantic_manifest.json'] as const;
export type ManifestName = (typeof manifestNames)[number];
