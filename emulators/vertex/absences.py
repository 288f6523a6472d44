"""Why this emulator has not what Vertex AI has, by the beginning of a call's name; the longest that fits counts."""

REASONS = {
    "cachedContents": "concerns generative models, which no machine here serves",
    "dataLabelingJobs": "people label there, and the service takes no new jobs",
    "datasets": "managed data sets feed AutoML; files and tables are read where they lie",
    "deploymentResourcePools": "models of one pool share machines; here all share one anyway",
    "endpoints": "concerns generative models, which no machine here serves",
    "endpoints.directPredict": "gRPC to TensorFlow servers; custom containers are asked by predict and rawPredict",
    "endpoints.directRawPredict": "gRPC to TensorFlow servers; custom containers are asked by predict and rawPredict",
    "endpoints.serverStreamingPredict": "answers in pieces; a model server of tables answers whole",
    "endpoints.streamRawPredict": "answers in pieces; a model server of tables answers whole",
    "featureGroups": "the feature store is a service of its own; a model computes its features itself",
    "featureOnlineStores": "the feature store is a service of its own; a model computes its features itself",
    "featurestores": "the feature store is a service of its own; a model computes its features itself",
    "hyperparameterTuningJobs": "custom jobs run one set of parameters each, and a trainer here searches by itself",
    "indexEndpoints": "vector search is a service of its own",
    "indexes": "vector search is a service of its own",
    "locations": "one machine has no locations, and serves no generative models",
    "migratableResources": "there is nothing older to migrate from",
    "modelDeploymentMonitoringJobs": "what was asked and answered is logged to BigQuery, where any monitor can read it",
    "models.export": "a custom container's model is its artifactUri, which can be copied",
    "models.listCheckpoints": "concerns generative models, which no machine here serves",
    "models.updateExplanationDataset": "concerns explanations by example",
    "nasJobs": "searches for neural architectures, by images that only Google has",
    "notebookExecutionJobs": "notebooks are a service of their own",
    "notebookRuntimeTemplates": "notebooks are a service of their own",
    "notebookRuntimes": "notebooks are a service of their own",
    "persistentResources": "machines that are kept between jobs; here one always is",
    "pipelineJobs": "Kubeflow pipelines have a local runner of their own; here Pub/Sub joins the steps",
    "publishers": "concerns generative models, which no machine here serves",
    "ragCorpora": "concerns generative models, which no machine here serves",
    "ragEngineConfig": "concerns generative models, which no machine here serves",
    "reasoningEngines": "concerns generative models, which no machine here serves",
    "schedules": "start pipeline jobs and notebooks, of which there are none",
    "specialistPools": "people label there, and the service takes no new jobs",
    "studies": "black-box optimization is a service of its own",
    "tensorboards": "time series need a TensorBoard; experiments keep parameters, metrics and artifacts without one",
    "tuningJobs": "concerns generative models, which no machine here serves",
}


def reason(name: str) -> str:
    """Why a call such as `aiplatform.indexes.get` is absent.

    Raises:
        KeyError: nobody has said why.
    """
    parts = name.removeprefix("aiplatform.").split(".")
    for length in range(len(parts), 0, -1):
        found = REASONS.get(".".join(parts[:length]))
        if found:
            return found
    raise KeyError(name)
