import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { CfnFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { CfnLogGroup, CfnLogStream, CfnSubscriptionFilter } from 'aws-cdk-lib/aws-logs';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { DeploymentStack } from '../deployment-stack.ts';
import { ANALYTICS_OUTPUTS, deliveryStreamName } from '../outputs.ts';
import { dataBucket, resultsBucket } from './buckets.ts';
import { databaseName, PREFIXES, tableInput } from './catalog.ts';
import { namedQueries } from './queries.ts';
import { createDeliveryRole, createSubscriptionRole, createTransformRole, grantResend } from './roles.ts';
import { TABLE } from './schema.ts';
import { TRANSFORM_CODE } from './transform.ts';

export type AnalyticsProps = {
  /** Name of the deployment. */
  readonly name: string;
  readonly region: string;
  /** Log groups of the monitoring stack: every record of a metric, and every event. */
  readonly logGroups: { readonly metrics: string; readonly events: string };
  /** Retention of the stack's own logs; one of CloudWatch's choices. */
  readonly retentionDays: number;
  /** Data older than this moves to the archive class that can still be read at once. */
  readonly glacierAfterDays: number;
  /** Results of queries are deleted after this. */
  readonly resultsDays: number;
};

/** Seconds and megabytes after which a file is written: whichever comes first. Large files are read faster. */
const BUFFER = { intervalInSeconds: 900, sizeInMBs: 128 };

/** A query that would read more, at 5 USD for a terabyte, is stopped. */
const SCAN_LIMIT_BYTES = 1_000_000_000_000;

/** Everything ever measured, for SQL: log groups → delivery stream with a transform → Parquet → Athena. */
export class AnalyticsStack extends DeploymentStack {
  readonly #props: AnalyticsProps;

  constructor(scope: Construct, props: AnalyticsProps) {
    super(scope, 'analytics', props, 'analytics');
    this.#props = props;
    const bucket = dataBucket(this, props.glacierAfterDays);
    const results = resultsBucket(this, props.resultsDays);
    const database = this.#createTable(bucket);
    const transformLogs = this.#ownLogGroup('TransformLogs', 'transform');
    const transformRole = createTransformRole(this, transformLogs);
    const transform = this.#createTransform(transformRole, transformLogs);
    const stream = this.#createStream(bucket, database, transform);
    grantResend(this, transformRole, stream);
    this.#subscribe(stream);
    this.#createWorkGroup(results, database);
    this.output(
      ANALYTICS_OUTPUTS.dataBucketName,
      bucket.ref,
      'Parquet files and, under errors/, what could not be read',
    );
    this.output(ANALYTICS_OUTPUTS.resultsBucketName, results.ref, 'results of queries');
  }

  #createTable(bucket: CfnBucket): string {
    const name = databaseName(this.#props.name);
    const database = new CfnDatabase(this, 'Database', {
      catalogId: this.account,
      databaseInput: { name, description: `Usage of Claude Code: ${this.deployment}` },
    });
    const table = new CfnTable(this, 'UsageTable', {
      catalogId: this.account,
      databaseName: name,
      tableInput: tableInput(bucket.ref),
    });
    table.addResourceDependency(database);
    return name;
  }

  #createTransform(role: CfnRole, logGroup: CfnLogGroup): CfnFunction {
    return new CfnFunction(this, 'Transform', {
      description: 'Turns log events of Claude Code into rows',
      runtime: Runtime.NODEJS_24_X.name,
      architectures: ['arm64'],
      handler: 'index.handler',
      role: role.attrArn,
      code: { zipFile: TRANSFORM_CODE },
      // A record of 1 MB unpacks to tens of megabytes.
      memorySize: 1_024,
      // The stream itself gives up after five minutes.
      timeout: 300,
      loggingConfig: { logGroup: logGroup.ref },
    });
  }

  #createStream(bucket: CfnBucket, database: string, transform: CfnFunction): CfnDeliveryStream {
    const logGroup = this.#ownLogGroup('DeliveryLogs', 'delivery');
    const logStream = new CfnLogStream(this, 'DeliveryLogStream', {
      logGroupName: logGroup.ref,
      logStreamName: 'errors',
    });
    const role = createDeliveryRole(this, { bucket, database, table: TABLE, transform, logGroup });
    const stream = new CfnDeliveryStream(this, 'DeliveryStream', {
      // The dashboard, which is deployed first, reads its metrics by this name.
      deliveryStreamName: deliveryStreamName(this.#props.name),
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.attrArn,
        roleArn: role.attrArn,
        prefix: PREFIXES.data,
        errorOutputPrefix: PREFIXES.errors,
        bufferingHints: BUFFER,
        // Parquet is compressed inside.
        compressionFormat: 'UNCOMPRESSED',
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: logGroup.ref,
          logStreamName: logStream.ref,
        },
        processingConfiguration: { enabled: true, processors: [processor(transform)] },
        dataFormatConversionConfiguration: {
          enabled: true,
          // The OpenX reader accepts times as the transform writes them; the Hive reader does not.
          inputFormatConfiguration: { deserializer: { openXJsonSerDe: { caseInsensitive: true } } },
          outputFormatConfiguration: { serializer: { parquetSerDe: { compression: 'SNAPPY' } } },
          schemaConfiguration: {
            catalogId: this.account,
            databaseName: database,
            tableName: TABLE,
            region: this.region,
            roleArn: role.attrArn,
            versionId: 'LATEST',
          },
        },
      },
    });
    stream.node.addDependency(this.node.findChild('UsageTable'));
    return stream;
  }

  #subscribe(stream: CfnDeliveryStream): void {
    const role = createSubscriptionRole(this, stream);
    const { metrics, events } = this.#props.logGroups;
    for (const [id, logGroupName] of Object.entries({
      MetricsSubscription: metrics,
      EventsSubscription: events,
    })) {
      new CfnSubscriptionFilter(this, id, {
        logGroupName,
        destinationArn: stream.attrArn,
        roleArn: role.attrArn,
        // No filter: the transform separates unwanted records from broken ones.
        filterPattern: '',
      });
    }
  }

  #createWorkGroup(results: CfnBucket, database: string): void {
    const workGroup = new CfnWorkGroup(this, 'WorkGroup', {
      name: this.deployment,
      description: 'Queries on the usage of Claude Code',
      // Deletes the history of queries too: a work group that has one cannot be deleted otherwise.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: SCAN_LIMIT_BYTES,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${results.ref}/`,
          encryptionConfiguration: { encryptionOption: 'SSE_S3' },
          expectedBucketOwner: this.account,
        },
      },
    });
    for (const { id, name, description, sql } of namedQueries()) {
      new CfnNamedQuery(this, `${id}Query`, {
        name,
        description,
        database,
        queryString: sql,
        workGroup: workGroup.ref,
      });
    }
    this.output(ANALYTICS_OUTPUTS.workGroupName, workGroup.ref, 'choose it in Athena');
    this.output(ANALYTICS_OUTPUTS.databaseName, database, 'of the table in Glue');
  }

  #ownLogGroup(id: string, name: string): CfnLogGroup {
    return new CfnLogGroup(this, id, {
      logGroupName: `/aws/claude-code/${this.#props.name}/${name}`,
      retentionInDays: this.#props.retentionDays,
    });
  }
}

function processor(transform: CfnFunction): CfnDeliveryStream.ProcessorProperty {
  const parameters = {
    LambdaArn: transform.attrArn,
    // Small batches: a record unpacks to ten times its size, and the answer has a limit.
    BufferSizeInMBs: '0.5',
    BufferIntervalInSeconds: '60',
    NumberOfRetries: '3',
  };
  return {
    type: 'Lambda',
    parameters: Object.entries(parameters).map(([parameterName, parameterValue]) => ({
      parameterName,
      parameterValue,
    })),
  };
}
