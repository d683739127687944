import { createHash } from 'node:crypto';
import type { CfnTable } from 'aws-cdk-lib/aws-glue';
import { COLUMNS, PARTITION, TABLE } from './schema.ts';

/** Prefixes of converted records, by day of delivery, and of records that could not be converted. */
export const PREFIXES = {
  data: `data/${PARTITION.name}=!{timestamp:yyyy-MM-dd}/`,
  errors: `errors/!{firehose:error-output-type}/${PARTITION.name}=!{timestamp:yyyy-MM-dd}/`,
};

/** First partition: no data is older than the project. */
const FIRST_DAY = '2026-01-01';

/**
 * Name of the database in Glue, which knows no capitals and no hyphens. Names with capitals end in a few
 * digits of their own, so that deployments `Team` and `team` stay apart.
 */
export function databaseName(deployment: string): string {
  const name = `ccwb_${deployment.toLowerCase().replaceAll('-', '_')}`;
  if (deployment === deployment.toLowerCase()) return name;
  return `${name}_${createHash('sha256').update(deployment).digest('hex').slice(0, 6)}`;
}

/**
 * The table over the bucket's Parquet files. Its partitions are computed from the pattern of their folders,
 * so that nothing has to look for new ones.
 */
export function tableInput(bucketName: string): CfnTable.TableInputProperty {
  const location = `s3://${bucketName}/data/`;
  const { name: day, ...partition } = PARTITION;
  return {
    name: TABLE,
    description: 'One row for each measurement and each event of Claude Code',
    tableType: 'EXTERNAL_TABLE',
    partitionKeys: [{ name: day, ...partition }],
    parameters: {
      classification: 'parquet',
      'projection.enabled': 'true',
      [`projection.${day}.type`]: 'date',
      [`projection.${day}.format`]: 'yyyy-MM-dd',
      [`projection.${day}.range`]: `${FIRST_DAY},NOW`,
      [`projection.${day}.interval`]: '1',
      [`projection.${day}.interval.unit`]: 'DAYS',
      'storage.location.template': `${location}${day}=\${${day}}/`,
    },
    storageDescriptor: {
      location,
      columns: COLUMNS.map(({ name, type, comment }) => ({ name, type, comment })),
      inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
      outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
      serdeInfo: {
        serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
        parameters: { 'serialization.format': '1' },
      },
    },
  };
}
