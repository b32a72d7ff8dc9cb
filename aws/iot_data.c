#include "iot_data.h"

/* Requests are signed for "iotdata", as botocore's model and every SDK do it. The developer guide
 * names "iotdevicegateway". */
static const struct aws_service service = {.name = "iotdata",
                                           .prefix = "iot",
                                           .endpoint = "data-ats.iot",
                                           .variable = "IOT_DATA_PLANE",
                                           .section = "iot_data_plane",
                                           .protocol = AWS_REST_JSON};

void iot_data_delete_connection(struct aws *aws, struct aws_call *call, const char *host,
                                const char *client_id)
{
    struct text path = {0};
    text_add_string(&path, "/connections/");
    aws_escape(client_id, &path);
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = "DeleteConnection",
                                     .method = "DELETE",
                                     .path = text_string(&path),
                                     .query = "cleanSession=true",
                                     .host = host,
                                     .changes = true});
    text_free(&path);
}
