/* Where everything is in a project, seen from its root folder, which is the working directory of
 * every program. A "%s" is the name of a type or a thing.
 *
 *   iot_system_infra/          the central system
 *     system.yaml              its settings
 *     generated/               the documents that are made from them
 *     authority/               certificate and key of the local certificate authority (0700)
 *     local/                   what the local system works with (0700, never committed)
 *   sensortypes/<type>/        a sensor type
 *     spec.yaml  code/         what a person writes
 *     generated/               its documents
 *     deployed.json            there while the type is plugged in on this machine
 *     sensors/<thing>/         the package of a thing
 *   certificates/<thing>/      record, key and certificate of a thing
 *   secrets.yaml               the wifi password (0600, never committed)
 */
#ifndef COMMON_BASE_PATHS_H
#define COMMON_BASE_PATHS_H

#define INFRASTRUCTURE_FOLDER "iot_system_infra"
#define SYSTEM_FILE INFRASTRUCTURE_FOLDER "/system.yaml"
#define SYSTEM_GENERATED INFRASTRUCTURE_FOLDER "/generated"
#define SECRETS_FILE "secrets.yaml"

#define AUTHORITY_FOLDER INFRASTRUCTURE_FOLDER "/authority"
#define AUTHORITY_KEY AUTHORITY_FOLDER "/ca.key"
#define AUTHORITY_CERTIFICATE AUTHORITY_FOLDER "/ca.pem"
/* Trusted besides the authority, while that is renewed (generator/targets/local_renewal.c). */
#define FORMER_FOLDER AUTHORITY_FOLDER "/former"
#define FORMER_KEY FORMER_FOLDER "/ca.key"
#define FORMER_CERTIFICATE FORMER_FOLDER "/ca.pem"
#define REVOCATION_LIST AUTHORITY_FOLDER "/crl.pem"
#define REVOCATION_COPY THINGS_FOLDER "/revoked.pem" /* of the list, should that be lost */

#define LOCAL_FOLDER INFRASTRUCTURE_FOLDER "/local"
#define BROKER_CONFIGURATION LOCAL_FOLDER "/mosquitto.conf"
#define BROKER_FOLDER LOCAL_FOLDER "/broker" /* its certificate, its key, its persistence */
#define BROKER_CERTIFICATE BROKER_FOLDER "/cert.pem"
#define BROKER_KEY BROKER_FOLDER "/key.pem"
#define BROKER_PLUGIN BROKER_FOLDER "/plugin.so" /* a link to sensorforge_broker.so */
#define HUB_FOLDER LOCAL_FOLDER "/hub" /* of the client that sensorhub is to the broker: */
#define HUB_CERTIFICATE HUB_FOLDER "/cert.pem"
#define HUB_KEY HUB_FOLDER "/key.pem"
#define IDENTITIES_FOLDER LOCAL_FOLDER "/identities" /* of programs that the broker lets in */
#define IDENTITY_FILE IDENTITIES_FOLDER "/%s.json"
#define BROKER_SESSIONS BROKER_FOLDER "/sessions.db"
#define DEPARTED_FOLDER LOCAL_FOLDER "/departed" /* notes of things that were deleted */
#define SPOOL_FOLDER LOCAL_FOLDER "/spool"
#define DATABASE_FILE LOCAL_FOLDER "/central.sqlite"
#define LOG_FOLDER LOCAL_FOLDER "/log"
#define LOG_FILE LOG_FOLDER "/%s.log"  /* of a program: mosquitto, sensorhub; see log_turn() */
#define RUN_FOLDER LOCAL_FOLDER "/run" /* mosquitto.pid, sensorhub.pid, sensorhub.status.json */
#define HUB_PID RUN_FOLDER "/sensorhub.pid"
#define HUB_STATUS RUN_FOLDER "/sensorhub.status.json"

#define TYPES_FOLDER "sensortypes"
#define SPEC_FILE "spec.yaml"
#define MARK_FILE "deployed.json"
#define TYPE_SPEC TYPES_FOLDER "/%s/" SPEC_FILE
#define TYPE_CODE TYPES_FOLDER "/%s/code"
#define TYPE_GENERATED TYPES_FOLDER "/%s/generated"
#define TYPE_MARK TYPES_FOLDER "/%s/" MARK_FILE
#define TYPE_PACKAGE TYPES_FOLDER "/%s/sensors/%s"

/* The documents that the local system works with; AWS would get the same. */
#define TYPE_DOCUMENTS TYPE_GENERATED "/awscli"
#define TYPE_DOCUMENT TYPE_DOCUMENTS "/%s.json" /* policy, rule, invalid-rule, ... */

#define THINGS_FOLDER "certificates"

/* Files in the folder of a thing. */
#define THING_RECORD "thing.json"
#define THING_KEY "key.pem"
#define THING_CERTIFICATE "cert.pem"
#define THING_NEXT_KEY "next-key.pem" /* during a rotation */
#define THING_NEXT_CERTIFICATE "next-cert.pem"

#endif
